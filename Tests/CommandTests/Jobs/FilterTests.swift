import AgentQueueModel
import AgentQueueStore
import Testing

/// Filters of `list` and of the commands that change jobs.
@Suite struct FilterTests {
    private func ids(_ sandbox: Sandbox, _ arguments: String...) async throws -> [Int] {
        let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
        let ending = try await sandbox.shell("\"$AQ\" list --json \(quoted)")
        try #require(ending.status == 0, "\(ending.error)")
        return try ending.json.compactMap { $0["id"]?.int }
    }

    @Test("A filter that is repeated or holds commas matches any of its values")
    func anyOfItsValues() async throws {
        let sandbox = try Sandbox()
        try sandbox.file(
            "in.jsonl",
            #"""
            {"prompt": "Sum the INVOICE of May", "queue": "a", "batch": "x.jsonl", "tags": ["t1"], "metadata": {"lang": "en", "n": 3}}
            {"prompt": "Draw an owl", "queue": "b", "batch": "y,z.jsonl", "tags": ["t2"], "metadata": {"lang": "de"}}
            {"messages": [{"role": "system", "content": "Invoices only"}, {"role": "user", "content": "Go"}], "queue": "c", "tags": ["t3"]}
            {"kind": "embed", "input": ["one", "an invoice"], "metadata": {"lang": "fr"}}
            """#)
        try #require(try await sandbox.run("enqueue", "--jsonl", "in.jsonl").status == 0)
        #expect(try await ids(sandbox, "--queue", "a", "--queue", "b") == [2, 1])
        #expect(try await ids(sandbox, "--queue", "a,c") == [3, 1])
        #expect(try await ids(sandbox, "--tag", "t1,t3", "--tag", "t2") == [3, 2, 1])
        #expect(try await ids(sandbox, "--tag", "t1,t3", "--queue", "c") == [3])
        #expect(try await ids(sandbox, "--batch", "x.jsonl", "--batch", "y,z.jsonl") == [2, 1])
        #expect(try await ids(sandbox, "--state", "completed", "--state", "available,running") == [4, 3, 2, 1])
        #expect(try await ids(sandbox, "--metadata", "lang=en", "--metadata", "lang=fr") == [4, 1])
        #expect(try await ids(sandbox, "--metadata", "lang=en,de") == [2, 1])
        #expect(try await ids(sandbox, "--metadata", "lang=en", "--metadata", "n=3") == [1])
        #expect(try await ids(sandbox, "--metadata", "lang=en", "--metadata", "n=4") == [])
        #expect(try await ids(sandbox, "--search", "invoice") == [4, 3, 1])
        #expect(try await ids(sandbox, "--search", "INVOICE", "--queue", "a,b") == [1])
        #expect(try await ids(sandbox, "--search", "owl", "--search", "invoice of") == [2, 1])
        #expect(try await ids(sandbox, "--search", "OF MÄY") == [])
        #expect(try await ids(sandbox, "--search", "lang") == [], "metadata is no prompt")
        #expect(try await ids(sandbox, "--until", "2099-01-01T00:00Z") == [4, 3, 2, 1])
        #expect(try await ids(sandbox, "--until", "1h") == [])
        let unknown = try await sandbox.run("list", "--batch", "x.jsonl,none")
        #expect(unknown.status == 65)
        #expect(unknown.sentence?.hasPrefix("batch 'none' not found") == true)
    }

    @Test("--error-class goes by the last error")
    func errorClass() async throws {
        let sandbox = try Sandbox()
        for prompt in ["one", "two", "three"] { _ = try await sandbox.run("enqueue", prompt, "--max-attempts", "1") }
        try await sandbox.fail("slow", slots: 1) { CallReport(target: $0.route, failure: .timedOut) }
        try await sandbox.fail("no", slots: 1) { CallReport(target: $0.route, failure: .permanent) }
        #expect(try await ids(sandbox, "--error-class", "timed_out") == [1])
        #expect(try await ids(sandbox, "--error-class", "timed_out,permanent") == [2, 1])
        #expect(try await ids(sandbox, "--error-class", "rate_limited") == [])
        #expect(try await sandbox.run("retry", "--state", "failed", "--error-class", "timed_out", "--json").output == "{\"retried\":1}\n")
        #expect(try await ids(sandbox, "--state", "failed") == [2])
    }

    @Test("A queue is known once a job, a schedule or a pause names it")
    func knownQueues() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "x", "--queue", "jobs")
        _ = try await sandbox.run("schedule", "add", "0 7 * * *", "What is new?", "--queue", "plans")
        #expect(try await sandbox.run("pause", "--create", "pauses").status == 0)
        for queue in ["jobs", "plans", "pauses"] {
            #expect(try await sandbox.run("list", "--queue", queue).status == 0, "\(queue)")
            #expect(try await sandbox.run("pause", queue).status == 0, "\(queue)")
            #expect(try await sandbox.run("resume", queue).status == 0, "\(queue)")
        }
        #expect(try await sandbox.run("list", "--queue", "job").status == 65)
        let paused = try await sandbox.run("pause", "job")
        #expect(paused.status == 65)
        #expect(paused.sentence == "queue 'job' not found (did you mean 'jobs'?); --create pauses a new queue")
        #expect(try await sandbox.run("queues", "--json").json.map { $0["name"] } == ["jobs", "pauses", "plans"])
    }

    @Test("A person at the terminal is asked")
    func question() async throws {
        let sandbox = try Sandbox()
        let lines = (1...1_021).map { #"{"prompt": "question \#($0)", "batch": "b"}"# }.joined(separator: "\n")
        _ = try await sandbox.run("enqueue", "--jsonl", "-", input: Array(lines.utf8))
        let refused = try await sandbox.terminal("cancel", "--batch", "b", width: 80, typed: "n\n")
        #expect(refused.contains("Cancel 1,021 jobs? [y/N] ") && refused.contains("nothing was cancelled"))
        #expect(try await ids(sandbox, "--state", "cancelled").isEmpty)
        let agreed = try await sandbox.terminal("cancel", "--batch", "b", width: 80, typed: "y\n")
        #expect(agreed.contains("1,021 jobs cancelled"), "\(agreed)")
        #expect(try await ids(sandbox, "--state", "available").isEmpty)
    }

    @Test("More than 20 jobs are changed only with --yes where nobody can be asked")
    func many() async throws {
        let sandbox = try Sandbox()
        let lines = (1...21).map { #"{"prompt": "question \#($0)", "batch": "b"}"# }.joined(separator: "\n")
        _ = try await sandbox.run("enqueue", "--jsonl", "-", input: Array(lines.utf8))
        let refused = try await sandbox.run("cancel", "--batch", "b")
        #expect(refused.status == 64)
        #expect(refused.sentence == "this would cancel 21 jobs; add --yes to do so, or --dry-run to only count them")
        #expect(try await sandbox.run("cancel", "--batch", "b", "--dry-run").output == "21 jobs would be cancelled\n")
        let counted = try await sandbox.run("cancel", "--batch", "b", "--dry-run", "--json")
        #expect(try counted.json == [["cancelled": 21, "dry_run": true]])
        #expect(try await ids(sandbox, "--state", "available").count == 21)
        #expect(try await sandbox.run("cancel", "--batch", "b", "--yes").output == "21 jobs cancelled\n")
        #expect(try await sandbox.run("retry", "--state", "cancelled").status == 64)
        #expect(try await sandbox.run("retry", "--state", "cancelled", "--search", "question 7").output == "1 job retried\n")
        #expect(try await sandbox.run("delete", "--state", "cancelled", "--search", "question 1").output == "11 jobs deleted\n")
        #expect(try await sandbox.run("delete", "--state", "cancelled").output == "9 jobs deleted\n")
        #expect(try await sandbox.run("cancel", "7", "--dry-run").output == "1 job would be cancelled\n")
        #expect(try await sandbox.run("show", "7", "--json").json.first?["state"] == "available")
    }
}
