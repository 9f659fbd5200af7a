import AgentQueueModel
import Testing

/// A job's life, as a person leads it.
@Suite struct FlowTests {
    @Test("enqueue, list, show, cancel, retry, cancel, delete")
    func life() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "hello")
        let list = try await sandbox.run("list")
        #expect(list.lines.count == 2)
        #expect(list.lines[0].split(separator: " ").map(String.init) == ["ID", "STATE", "QUEUE", "MODEL", "TRIES", "CREATED", "PROMPT"])
        #expect(list.lines[1].contains("available") && list.lines[1].hasSuffix("hello"))
        #expect(try await sandbox.run("show", "1").output.contains("state       available"))

        #expect(try await sandbox.run("delete", "1").sentence == "job 1: not deleted: it is available; cancel it first")
        #expect(
            try await sandbox.run("cancel", "1", "--json").json == [["id": 1, "result": "changed", "state": "cancelled", "reason": .null]])
        let again = try await sandbox.run("cancel", "1", "--json")
        #expect(again.status == 0)
        #expect(try again.json.first?["result"] == "unchanged")
        #expect(try await sandbox.run("retry", "1").output.contains("retried, available"))
        #expect(try await sandbox.run("cancel", "1").status == 0)
        #expect(try await sandbox.run("delete", "1").status == 0)
        #expect(try await sandbox.run("show", "1").status == 65)
        #expect(try await sandbox.run("database", "check").status == 0)
    }

    @Test("What is done to several jobs is told of each; one that is not there makes the exit code")
    func several() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        _ = try await sandbox.run("enqueue", "two")
        let ending = try await sandbox.run("cancel", "1", "7", "2", "--json")
        #expect(ending.status == 65)
        #expect(try ending.json.map { $0["result"] } == ["changed", "not_found", "changed"])
        #expect(ending.sentence == "job 7: not found")
    }

    @Test("Jobs are chosen by what they are")
    func filters() async throws {
        let sandbox = try Sandbox()
        for (prompt, queue, tag) in [("a", "q1", "t1"), ("b", "q1", "t2"), ("c", "q2", "t1")] {
            _ = try await sandbox.run("enqueue", prompt, "--queue", queue, "--tag", tag, "--batch", "b-\(queue)")
        }
        func ids(_ option: String, _ value: String) async throws -> [JSONValue?] {
            try await sandbox.run("list", option, value, "--json").json.map { $0["id"] }
        }
        #expect(try await ids("--queue", "q1") == [2, 1])
        #expect(try await ids("--tag", "t1") == [3, 1])
        #expect(try await ids("--batch", "b-q2") == [3])
        #expect(try await ids("--model", "local/smollm2") == [3, 2, 1])
        #expect(try await ids("--model", "local/nothing") == [])
        #expect(try await ids("--state", "available,running") == [3, 2, 1])
        #expect(try await ids("--state", "completed") == [])
        #expect(try await ids("--since", "1h") == [3, 2, 1])
        #expect(try await ids("--since", "2099-01-01T00:00Z") == [])
        #expect(try await ids("--limit", "2") == [3, 2])
        #expect(try await sandbox.run("cancel", "--queue", "q1").output == "2 jobs cancelled\n")
        #expect(try await sandbox.run("retry", "--state", "cancelled", "--json").output == "{\"retried\":2}\n")
        #expect(try await sandbox.run("cancel", "--batch", "b-q2").output == "1 job cancelled\n")
        #expect(try await sandbox.run("delete", "--tag", "t1").output == "1 job deleted\n")
    }

    @Test("A queue is paused and resumed")
    func pause() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("pause", "--create", "nightly", "--json").output == "{\"queue\":\"nightly\",\"paused\":true}\n")
        _ = try await sandbox.run("enqueue", "x", "--queue", "nightly")
        let queue = try #require(try await sandbox.run("queues", "--json").json.first)
        #expect(queue["name"] == "nightly")
        #expect(queue["paused_at"]?.string != nil)
        #expect(queue["states"]?["available"] == 1)
        try await sandbox.work()
        #expect(try await sandbox.run("result", "1").sentence?.contains("is available and has no answer yet") == true)
        #expect(try await sandbox.run("resume", "nightly").status == 0)
        #expect(try await sandbox.run("queues", "--json").json.first?["paused_at"] == .null)
    }

    @Test("Answers are read in each format")
    func results() async throws {
        let sandbox = try Sandbox()
        try sandbox.file(
            "in.jsonl",
            #"""
            {"custom_id": "good", "params": {"model": "local/m", "max_tokens": 5, "messages": [{"role": "user", "content": "yes"}]}}
            {"custom_id": "bad", "params": {"model": "local/m", "max_tokens": 5, "messages": [{"role": "user", "content": "no"}]}}
            {"prompt": "gone", "delay": "1h"}
            """#)
        _ = try await sandbox.run("enqueue", "--jsonl", "in.jsonl")
        _ = try await sandbox.run("cancel", "3")
        try await sandbox.work { $0.contains("yes") ? "said \"yes\", twice\nindeed" : nil }

        #expect(try await sandbox.run("result", "1").output == "said \"yes\", twice\nindeed\n")
        let failed = try await sandbox.run("result", "2")
        #expect(failed.status == 1)
        #expect(failed.sentence == "job 2 failed: the model said \\u{1b}[31mno")
        #expect(try await sandbox.run("results", "--format", "jsonl").json.map { $0["custom_id"] } == ["good"])
        for name in ["discarded", "failed"] {
            let results = try await sandbox.run("results", "--json", "--state", name).json
            #expect(results.map { $0["custom_id"] } == ["bad"] && results.first?["state"] == "discarded")
            #expect(try await sandbox.run("list", "--state", name).lines.last?.contains(" failed ") == true)
        }

        let csv = try await sandbox.run("results", "--format", "csv").output
        #expect(csv.hasPrefix("id,custom_id,state,kind,queue,model,batch,tags,"))
        #expect(csv.contains("\n1,good,completed,generate,default,local/m,"))
        #expect(csv.contains(",\"said \"\"yes\"\", twice\nindeed\",,,yes\n"))

        let openAI = try await sandbox.run("results", "--format", "openai-batch").json
        #expect(openAI.map { $0["custom_id"] } == ["good", "bad", "3"])
        #expect(openAI[0]["response"]?["status_code"] == 200)
        let choice = openAI[0]["response"]?["body"]?["choices"]?.array?.first
        #expect(choice?["message"]?["content"] == "said \"yes\", twice\nindeed")
        #expect(openAI[0]["response"]?["body"]?["usage"]?["total_tokens"] == 12)
        #expect(openAI[0]["error"] == .null)
        #expect(openAI[1]["response"] == .null)
        #expect(openAI[1]["error"]?["code"] == "request_failed")
        #expect(openAI[2]["error"]?["code"] == "batch_cancelled")

        let anthropic = try await sandbox.run("results", "--format", "anthropic-batch").json
        #expect(anthropic.map { $0["result"]?["type"] } == ["succeeded", "errored", "canceled"])
        #expect(anthropic[0]["result"]?["message"]?["stop_reason"] == "end_turn")
        #expect(anthropic[1]["result"]?["error"]?["error"]?["type"] == "invalid_request_error")
    }
}
