import AgentQueueModel
import Testing

/// `batches`, and jobs that are asked anew.
@Suite struct BatchesTests {
    @Test("Batches are listed with progress, failures and cost")
    func batches() async throws {
        let sandbox = try Sandbox()
        for prompt in ["yes one", "yes two", "no"] { _ = try await sandbox.run("enqueue", prompt, "--batch", "monday", "--budget", "5") }
        try await sandbox.work { $0.contains("yes") ? "fine" : nil }
        _ = try await sandbox.run("enqueue", "later", "--batch", "monday", "--delay", "1h")
        _ = try await sandbox.run("enqueue", "x", "--batch", "tuesday\u{1B}[1m")
        let batches = try await sandbox.run("batches", "--json").json
        #expect(batches.map { $0["batch"] } == ["tuesday\u{1B}[1m", "monday"])
        let monday = try #require(batches.last)
        #expect(monday["jobs"] == 4 && monday["open"] == 1 && monday["completed"] == 2 && monday["discarded"] == 1)
        #expect(monday["cost_usd"]?.number == 0.5)
        #expect(monday["usage"] == ["input_tokens": 10, "output_tokens": 14])
        #expect(try #require(monday["eta"]?.number) > 0, "three of four are done")
        #expect(batches.first?["eta"] == .null, "nothing has finished")
        let table = try await sandbox.run("batches")
        #expect(table.lines.count == 3 && table.lines[0].hasSuffix("ETA"))
        #expect(table.lines[2].contains("monday") && table.lines[2].contains(" 75% "))
        #expect(!table.output.utf8.contains(0x1B))
        #expect(try await sandbox.run("batches", "--limit", "1", "--json").lines.count == 1)
    }

    @Test("A batch is shown with its states, models and kinds of failure")
    func show() async throws {
        let sandbox = try Sandbox()
        for prompt in ["yes", "no", "no again"] { _ = try await sandbox.run("enqueue", prompt, "--batch", "b") }
        try await sandbox.work { $0.contains("yes") ? "fine" : nil }
        let shown = try #require(try await sandbox.run("batches", "show", "b", "--json").json.first)
        #expect(shown["states"]?["completed"] == 1 && shown["states"]?["discarded"] == 2 && shown["states"]?["available"] == 0)
        #expect(shown["failures"] == [["class": "permanent", "jobs": 2]])
        #expect(shown["targets"] == [["target": "local/smollm2", "jobs": 3]])
        #expect(shown["eta"] == .null)
        let text = try await sandbox.run("batches", "show", "b").output
        #expect(text.contains("failed with") && text.contains("permanent: 2 jobs") && text.contains("100% done"))
    }

    @Test("retry --again asks anew, and show keeps the answer it replaces")
    func again() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question", "--batch", "b")
        try await sandbox.work { _ in "old" }
        #expect(try await sandbox.run("retry", "1", "--json").json.first?["result"] == "unchanged")
        let again = try await sandbox.run("retry", "--again", "1")
        #expect(again.status == 0 && again.output.contains("retried, available"), "\(again.error)")
        #expect(try await sandbox.run("show", "1").output.contains("Previous result\n    old"))
        try await sandbox.work { _ in "new" }
        #expect(try await sandbox.run("result", "1").output == "new\n")
        #expect(try await sandbox.run("batches", "show", "b", "--json").json.first?["cost_usd"]?.number == 0.5, "both were paid for")
        #expect(try await sandbox.run("show", "1", "--json").json.first?["previous_result"]?["text"] == "old")
        _ = try await sandbox.run("enqueue", "another")
        let open = try await sandbox.run("retry", "--again", "2")
        #expect(open.status == 65 && open.sentence?.contains("only a completed job is asked anew") == true)
        #expect(try await sandbox.run("database", "check").status == 0)
    }
}
