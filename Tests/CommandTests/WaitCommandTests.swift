import JobModel
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

    @Test("Ends with 1 when one was discarded or cancelled")
    func failed() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b")
        _ = try await sandbox.run("enqueue", "two", "--batch", "b")
        _ = try await sandbox.run("cancel", "2")
        try await sandbox.work()
        let jobs = try await sandbox.run("wait", "1", "2")
        #expect(jobs.status == 1)
        #expect(jobs.sentence == "1 of 2 jobs ended discarded or cancelled")
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
        #expect(job.sentence == "job 1 was not final within 50ms")
        #expect(try await sandbox.run("wait", "--batch", "b", "--timeout", "50ms").status == 2)
    }
}
