import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

/// `agent-queue run`, as a person or a script uses it, with a real worker and a scripted model.
@Suite struct RunCommandTests {
    @Test("Start, wait, show, output: for people and for scripts")
    func flow() async throws {
        try await RunScene.with { scene in
            let aq = scene.sandbox
            let started = try await aq.run("run", "report", "--input", "task=a {{tag}} \"task\"", "--wait", "--timeout", "1m")
            #expect(started.status == 0, "\(started.error)")
            #expect(started.output.hasPrefix("0.9: answer to Write one; answer to Write "))
            #expect(!started.output.contains("\u{1B}") && !started.output.contains("\u{202E}"))
            // Elsewhere than on a terminal, a line for each call that has ended.
            let told = started.error.split(separator: "\n").map(String.init)
            #expect(told.count == 7, "\(started.error)")
            #expect(told.allSatisfy { $0.wholeMatch(of: /agent-queue: run 1: \S+ completed, .*5 tokens, \$2\.00/) != nil }, "\(told)")
            #expect(scene.server.requests.count == 7)

            let detail = try #require(try await aq.run("run", "show", "1", "--json").json.first)
            #expect(detail["state"] == "completed")
            #expect(detail["calls"] == ["begun": 7, "completed": 7, "failed": 0])
            #expect(detail["usage"] == ["input_tokens": 14, "output_tokens": 21])
            #expect(detail["cost_usd"]?.number == 14)
            #expect(detail["inputs"] == ["task": "a {{tag}} \"task\"", "rounds": 3])
            let paths = (detail["steps"]?.array ?? []).compactMap { $0["path"]?.string }
            #expect(
                Set(paths) == ["plan", "write[0]", "write[1]", "write[2]", "refine/1/judge", "refine/2/revise", "refine/2/judge"])

            let sheet = try await aq.run("run", "show", "1")
            #expect(sheet.output.contains("state     completed"))
            let tree = sheet.lines.filter { $0.contains("completed ") && !$0.hasPrefix("state") && !$0.hasPrefix("calls") }
            #expect(tree.count == 10, "\(sheet.output)")
            #expect(sheet.output.contains("\n+ write") && sheet.output.contains("\n  + [2] ") && sheet.output.contains("\n  + round 2 "))

            #expect(try await aq.run("run", "output", "1").output == started.output)
            #expect(try await aq.run("run", "output", "1", "--step", "write[0]").output == "answer to Write one\n")
            #expect(try await aq.run("run", "output", "1", "--step", "wirte[0]").sentence?.contains("did you mean 'write[0]'?") == true)
            func step(_ path: String) async throws -> JSONValue? {
                try await aq.run("run", "output", "1", "--step", path, "--json").json.first
            }
            #expect(try await step("write")?.array?.count == 3)
            #expect(try await step("write")?.array?.first == "answer to Write one")
            #expect(try await step("refine")?["judge"]?["confidence"] == 0.9)
            #expect(try await step("refine/1") == ["revise": .null, "judge": ["confidence": 0.4]])
            #expect(try await step("refine.judge") == ["confidence": 0.9])
            #expect(
                try await aq.run("run", "output", "1", "--step", "wirte").sentence == "run 1 has no step 'wirte' (did you mean 'write'?)")
            let job = try #require(try await aq.run("list", "--run", "1", "--json").json.last)
            #expect((job["run"], job["step"]) == (1, "plan"))
            let listed = try #require(try await aq.run("runs", "--json", "--state", "completed", "--name", "report").json.first)
            #expect((listed["id"], listed["name"]) == (1, "report"))
            #expect(try await aq.run("runs", "--state", "failed").lines.count <= 1)
            #expect(try await aq.run("database", "check").status == 0)
        }
    }

    @Test("A failed run says why; what failed is done again on request, and nothing else")
    func retry() async throws {
        try await RunScene.with { scene in
            let aq = scene.sandbox
            let failed = try await aq.run("run", "fragile", "--wait", "--json", "--timeout", "1m")
            #expect(failed.status == 1)
            let run = try #require(failed.json.first)
            #expect(run["state"] == "failed")
            #expect(run["reason"]?.string?.contains("no such luck") == true)
            let sheet = try await aq.run("run", "show", "1").output
            #expect(sheet.contains("\n+ first") && sheet.contains("\nx second") && sheet.contains("\n- third"), "\(sheet)")
            #expect(sheet.contains("Failures\n  second (job 2): "))
            #expect(try await aq.run("run", "output", "1").status == 1)
            let call = try await aq.run("run", "output", "1", "--step", "second")
            #expect(call.status == 1 && call.sentence?.contains("call 'second' of run 1 has failed: ") == true)
            #expect(try await aq.run("run", "wait", "1").status == 1)
            let refused = try await aq.run("retry", "2")
            #expect(
                refused.status == 65 && refused.sentence?.contains("a step of run 1; retry the run instead") == true, "\(refused.error)")

            scene.mended.add()
            #expect(try await aq.run("run", "retry", "1", "--json").json.first?["result"] == "changed")
            #expect(try await aq.run("run", "wait", "1", "--timeout", "1m").status == 0)
            #expect(try await aq.run("run", "output", "1").output == "answer to Then answer to FAIL answer to Say x\n")
            // The first step once, the second twice, the third once.
            #expect(scene.server.requests.count == 4)
            let again = try await aq.run("run", "retry", "1", "8", "--json")
            #expect(again.status == 65)
            #expect(try again.json.map { $0["result"] } == ["unchanged", "not_found"])
            #expect(again.sentence == "run 8: not found")
        }
    }

    @Test("A run is cancelled with its jobs, and can be taken up again")
    func cancel() async throws {
        try await RunScene.with { scene in
            let aq = scene.sandbox
            #expect(try await aq.run("run", "slow", "--json").json == [["id": 1, "state": "running", "duplicate_of": .null]])
            try await scene.server.waitForRequests(1)
            let early = try await aq.run("run", "wait", "1", "--timeout", "50ms")
            #expect(early.status == 2 && early.sentence == "timed out after 50ms: run 1 has not finished")
            #expect(try await aq.run("run", "output", "1").sentence?.contains("is running and has no output yet") == true)
            let tree = try await aq.run("run", "show", "1").output
            #expect(tree.contains("\n* first") && tree.contains("\no second"), "\(tree)")
            #expect(try await aq.run("run", "cancel", "1").lines.last?.hasSuffix("cancelled") == true)
            let ended = try await aq.run("run", "wait", "1", "--timeout", "1m")
            #expect(ended.status == 1)
            #expect(try await aq.run("run", "cancel", "1", "--json").json.first?["result"] == "unchanged")
            try await scene.server.waitForClientsToClose(1)
            #expect(try await aq.run("wait", "1", "--timeout", "1m").status == 1)

            scene.gate.open()
            #expect(try await aq.run("run", "retry", "1").status == 0)
            #expect(try await aq.run("run", "wait", "1", "--timeout", "1m").status == 0)
            #expect(try await aq.run("run", "output", "1").output == "answer to Then answer to WAIT x\n")
        }
    }

    @Test("A key starts one run, and what the cache answers needs no worker")
    func uniqueAndCached() async throws {
        try await RunScene.with { scene in
            let aq = scene.sandbox
            _ = try await aq.run("run", "report", "--input", "task=t", "--unique-key", "k", "--wait", "--timeout", "1m")
            let again = try await aq.run("run", "report", "--input", "task=t", "--unique-key", "k", "--json")
            #expect(try again.json == [["id": 1, "state": "completed", "duplicate_of": 1]])
            #expect(try await aq.run("run", "report", "--input", "task=t", "--unique-key", "k").sentence?.contains("already has") == true)
            try await scene.sandbox.withStore { store in
                for worker in try store.maintenance.workers() where store.locks.isAlive(worker: worker.id) {
                    kill(pid_t(worker.pid), SIGSTOP)
                }
                defer { for worker in (try? store.maintenance.workers()) ?? [] { kill(pid_t(worker.pid), SIGCONT) } }
                let cached = try await aq.run("run", "report", "--input", "task=t", "--wait", "--timeout", "20s")
                #expect(cached.status == 0, "\(cached.error)")
                #expect(cached.output.hasPrefix("0.9: "))
            }
            #expect(scene.server.requests.count == 7)
            #expect(try await aq.run("run", "show", "2", "--json").json.first?["cost_usd"]?.number == 0)
        }
    }

    @Test("On a terminal the steps are drawn while they run")
    func terminal() async throws {
        try await RunScene.with { scene in
            let drawn = try await scene.sandbox.terminal(
                "run", "report", "--input", "task=t", "--wait", width: 100, environment: ["LC_ALL": "C.UTF-8"])
            #expect(drawn.contains("\u{1B}[J"))
            #expect(drawn.contains("✓ plan"))
            #expect(drawn.contains("0.9: answer to Write one"))
            #expect(!drawn.contains("\u{202E}"))
        }
    }
}
