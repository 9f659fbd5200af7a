import AgentQueueModel
import AgentQueueStore
import Testing

@testable import agent_queue

/// `cache warm`: only what the cache does not hold is enqueued.
@Suite struct CacheWarmTests {
    private static let lines = """
        {"prompt": "known"}
        {"prompt": "new"}
        {"prompt": "new", "tags": ["again"]}
        {"prompt": "new", "sample": 1, "priority": 3}
        {"prompt": "secret", "cache": false}
        {"prompt": "x", "unique_key": "k"}

        """

    private func prepared() async throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        _ = try await sandbox.run("enqueue", "known")
        try await sandbox.work()
        _ = try await sandbox.run("enqueue", "holder", "--unique-key", "k")
        return sandbox
    }

    @Test("Enqueues what is missing, at the lowest priority, and says how many")
    func warms() async throws {
        let sandbox = try await prepared()
        let ending = try await sandbox.run("cache", "warm", "--jsonl", "in.jsonl", "--cache-ttl", "7d", "--queue", "night")
        #expect(ending.status == 0, "\(ending.error)")
        #expect(
            ending.lines == [
                "2 enqueued, 1 already cached, 1 duplicates, 1 with an existing unique key, 1 skipped because they do not use the cache"
            ])
        #expect(ending.error.isEmpty)
        let jobs = try await sandbox.run("list", "--queue", "night", "--json").json.reversed().map(\.self)
        #expect(jobs.map { $0["priority"] } == [9, 3])
        #expect(jobs.map { $0["cache_ttl"]?.number } == [604_800, 604_800])

        try await sandbox.work()
        let again = try await sandbox.run("cache", "warm", "--jsonl", "in.jsonl", "--json").json
        #expect(again == [["enqueued": 0, "cached": 4, "repeated": 0, "unique_key_taken": 1, "no_cache": 1]])
        // Looking is not using.
        #expect(try await sandbox.run("cache", "stats", "--json").json.first?["hits"] == 0)
    }

    @Test("Prints numbers or receipts when asked, and the counts where they are no data beside")
    func prints() async throws {
        let sandbox = try await prepared()
        let receipts = try await sandbox.run("cache", "warm", "--jsonl", "in.jsonl", "--print-ids", "--json").json
        #expect(receipts.dropLast().map { $0["id"] } == [3, 4, 2])
        #expect(receipts.last?["enqueued"] == 2)
        let numbers = try await sandbox.run(
            "cache", "warm", "--jsonl", "-", "--print-ids", "--priority", "1", input: Array(#"{"prompt":"later"}"#.utf8))
        #expect(numbers.lines.count == 1)
        #expect(numbers.error == "1 enqueued, 0 already cached, 0 duplicates\n")
        let job = try #require(try await sandbox.run("show", numbers.lines[0], "--json").json.first)
        #expect(job["priority"] == 1)
    }

    @Test("An empty folder, an empty file, a bad line")
    func edges() async throws {
        let sandbox = try Sandbox()
        let none = try await sandbox.run("cache", "warm", "--jsonl", "-")
        #expect(none.lines == ["0 enqueued, 0 already cached, 0 duplicates"])
        try sandbox.file("bad.jsonl", "{\"prompt\": \"a\"}\n{}\n")
        let bad = try await sandbox.run("cache", "warm", "--jsonl", "bad.jsonl")
        #expect(bad.status == 65)
        #expect(bad.sentence?.contains("line 2: a job needs a prompt or messages; nothing added") == true)
        #expect(try await sandbox.run("list", "--json").output.isEmpty)
        let skipping = try await sandbox.run("cache", "warm", "--jsonl", "bad.jsonl", "--skip-invalid")
        #expect(skipping.lines == ["1 enqueued, 0 already cached, 0 duplicates"])
    }

    @Test("A cache that is off cannot be warmed")
    func off() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "cache: { enabled: false }\n")
        let ending = try await sandbox.run("cache", "warm", "--jsonl", "-", input: Array(#"{"prompt":"x"}"#.utf8))
        #expect(ending.status == 78)
        #expect(ending.sentence?.contains("the cache is disabled") == true)
    }
}
