import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@Suite struct WaitCommandTests {
    @Test("Ends with 0 when all have completed, and prints them")
    func completed() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b")
        _ = try await sandbox.run("enqueue", "two", "--batch", "b")
        async let jobs = sandbox.run("wait", "1", "2", "--json", "--timeout", "1m")
        async let batch = sandbox.run("wait", "--batch", "b", "--json", "--timeout", "1m")
        try await sandbox.work()
        #expect(try await jobs.status == 0)
        #expect(try await jobs.json.map { $0["state"] } == ["completed", "completed"])
        #expect(try await batch.json == [["batch": "b", "jobs": 2, "completed": 2, "cancelled": 0, "discarded": 0]])
        #expect(try await sandbox.run("wait", "2", "1").lines.count == 3)
    }

    @Test("Exits with 1 when one failed or was cancelled")
    func failed() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b")
        _ = try await sandbox.run("enqueue", "two", "--batch", "b")
        _ = try await sandbox.run("cancel", "2")
        try await sandbox.work()
        let jobs = try await sandbox.run("wait", "1", "2")
        #expect(jobs.status == 1)
        #expect(jobs.sentence == "1 of 2 jobs failed or were cancelled")
        #expect(jobs.output.contains("cancelled before it ran"))
        #expect(try await sandbox.run("wait", "--batch", "b").status == 1)
    }

    @Test("Ends with 2 when time runs out")
    func timeout() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b")
        let job = try await sandbox.run("wait", "1", "--timeout", "50ms")
        #expect(job.status == 2)
        #expect(job.output.isEmpty)
        #expect(job.sentence == "timed out after 50ms: job 1 has not finished")
        #expect(try await sandbox.run("wait", "--batch", "b", "--timeout", "50ms").status == 2)
    }
}

/// `wait --stream` and `enqueue --wait --stream`: an answer is printed while it comes.
@Suite struct StreamCommandTests {
    @Test("Pieces are printed before the end, and none of them steers a terminal")
    func pieces() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, _, job in
            let waiter = try sandbox.start("wait", "--stream", "1")
            #expect(try await store.claims.appendStream(job.lease, "one, "))
            try await waiter.waitForOutput("one, ")
            #expect(try await store.claims.appendStream(job.lease, "t\u{1B}[31mw\u{9B}o\u{202E},\r\n"))
            try await waiter.waitForOutput("one, t\\u{1b}[31mw\\u{9b}o\\u{202e},\\r\n")
            #expect(waiter.ending == nil)
            _ = try await store.claims.settle(sandbox.settlement(of: job, "one, t\u{1B}[31mw\u{9B}o\u{202E},\r\nthr\u{7}ee"))
            let (ending, output) = try await waiter.endOfOutput()
            #expect(ending == .exit(0))
            #expect(output == "one, t\\u{1b}[31mw\\u{9b}o\\u{202e},\\r\nthr\\u{7}ee\n")
        }
    }

    @Test("enqueue --wait --stream asks for the stream, and prints what comes")
    func enqueue() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "not streamed")
        let waiter = try sandbox.start("enqueue", "--wait", "--stream", "streamed")
        try await sandbox.withStore { store in
            try await until("the job is added") { try store.jobs.list(JobFilter(), limit: 10).count == 2 }
            let worker = try await store.claims.registerWorker()
            let jobs = try await sandbox.claim(store, as: worker.id)
            #expect(jobs.map(\.isStreamed) == [false, true])
            let job = try #require(jobs.last)
            #expect(try await store.claims.appendStream(job.lease, "an "))
            try await waiter.waitForOutput("an ")
            _ = try await store.claims.settle(sandbox.settlement(of: job, "an answer"))
        }
        let (ending, output) = try await waiter.endOfOutput()
        #expect(ending == .exit(0))
        // On a busy machine it may have said before that there was no worker.
        #expect(output.hasSuffix("an answer\n"), "\(output)")
    }

    @Test("Of an answer with a schema the value is printed, and the whole reply is kept")
    func thinking() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "--schema", "born int", "Goethe?")
        let text = "<think>\nBorn {1749}?\n</think>\n\n{\"born\": 1749}"
        try await sandbox.work { _ in text }
        #expect(try await sandbox.run("result", "1").output == "{\"born\": 1749}\n")
        #expect(try await sandbox.run("result", "1", "--json").json.first?["text"]?.string == text)
        // The same from the cache.
        #expect(try await sandbox.run("enqueue", "--wait", "--schema", "born int", "Goethe?").output == "{\"born\": 1749}\n")
        #expect(try await sandbox.run("show", "1").output.contains("Born {1749}?"))
    }

    @Test("wait --stream has the next call streamed")
    func asks() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "x")
        #expect(try await sandbox.run("wait", "--stream", "1", "--timeout", "100ms").status == 2)
        try await sandbox.withStore { store in
            let worker = try await store.claims.registerWorker()
            #expect(try await sandbox.claim(store, as: worker.id).map(\.isStreamed) == [true])
        }
    }

    @Test("Where another attempt begins, so does the text, and it is said")
    func anew() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, worker, first in
            let waiter = try sandbox.start("wait", "--stream", "1")
            #expect(try await store.claims.appendStream(first.lease, "this was"))
            try await waiter.waitForOutput("this was")
            let handedBack = Settlement(state: .available, scheduledAt: 0, countsAttempt: false)
            _ = try await store.claims.settle(SettleRequest(job: first, settlement: handedBack))
            let second = try #require(try await sandbox.claim(store, as: worker).first)
            #expect(try await store.claims.appendStream(second.lease, "that"))
            try await waiter.waitForOutput("that")
            #expect(try await !store.claims.appendStream(first.lease, "late"))
            _ = try await store.claims.settle(sandbox.settlement(of: second, "that is"))
            let (ending, output) = try await waiter.endOfOutput()
            #expect(ending == .exit(0))
            #expect(output == "this was\nagent-queue: a new attempt started; the answer starts over\nthat is\n")
        }
    }

    @Test("An answer that does not go on from what came is printed whole")
    func another() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, _, job in
            let waiter = try sandbox.start("wait", "--stream", "1")
            #expect(try await store.claims.appendStream(job.lease, "this"))
            try await waiter.waitForOutput("this")
            _ = try await store.claims.settle(sandbox.settlement(of: job, "that"))
            let (ending, output) = try await waiter.endOfOutput()
            #expect(ending == .exit(0))
            #expect(output == "this\nagent-queue: the final answer differs from the text streamed so far\nthat\n")
        }
    }

    @Test("A job that fails in the middle ends the line, with exit code 1")
    func failure() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, _, job in
            let waiter = try sandbox.start("wait", "--stream", "1")
            #expect(try await store.claims.appendStream(job.lease, "half"))
            try await waiter.waitForOutput("half")
            _ = try await store.claims.settle(sandbox.settlement(of: job, nil))
            let (ending, output) = try await waiter.endOfOutput()
            #expect(ending == .exit(1))
            #expect(output == "half\nagent-queue: job 1 failed: the model said \\u{1b}[31mno\n")
        }
    }

    @Test("A job that is final already: its answer, or why there is none")
    func final() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "good")
        _ = try await sandbox.run("enqueue", "bad")
        try await sandbox.work { $0.contains("good") ? "line one\nline two" : nil }
        let good = try await sandbox.run("wait", "--stream", "1")
        #expect(good.status == 0)
        #expect(good.output == "line one\nline two\n")
        #expect(good.error.isEmpty)
        let bad = try await sandbox.run("wait", "--stream", "2")
        #expect(bad.status == 1)
        #expect(bad.output.isEmpty)
        #expect(bad.sentence == "job 2 failed: the model said \\u{1b}[31mno")
        let cached = try await sandbox.run("enqueue", "good", "--wait", "--stream")
        #expect(cached.output == "line one\nline two\n")
    }

    @Test("Ends with 2 when time runs out; what came is there, and its line has an end")
    func timeout() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, _, job in
            #expect(try await store.claims.appendStream(job.lease, "half"))
            let ending = try await sandbox.run("wait", "--stream", "1", "--timeout", "2s")
            #expect(ending.status == 2)
            #expect(ending.output == "half\n")
            #expect(ending.sentence == "timed out after 2s: job 1 has not finished")
        }
    }

    @Test("A reader that goes away ends it quietly")
    func closedPipe() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withRunningJob { store, _, job in
            #expect(try await store.claims.appendStream(job.lease, "first\n"))
            let reader = try ChildProcess(
                "/bin/bash", ["-c", #"{ "$AQ" wait --stream 1; echo "status $?" >&2; } | head -n 1"#], environment: sandbox.environment)
            try await reader.waitForOutput("first\n")
            // Only a piece that meets the closed pipe tells the waiter, and `head` takes a moment to go.
            try await within(.seconds(30), "the waiter ends") {
                while reader.ending == nil {
                    _ = try await store.claims.appendStream(job.lease, "more\n")
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            let (_, output) = try await reader.endOfOutput()
            #expect(output == "first\nstatus 0\n")
        }
    }
}
