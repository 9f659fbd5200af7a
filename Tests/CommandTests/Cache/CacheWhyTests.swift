import AgentQueueModel
import AgentQueueStore
import Testing

/// `cache why`, as a person meets it.
@Suite struct CacheWhyTests {
    private func why(_ sandbox: Sandbox, _ a: String, _ b: String) async throws -> JSONValue {
        let ending = try await sandbox.run("cache", "why", a, b, "--json")
        try #require(ending.status == 0, "\(ending.error)")
        let answer = try #require(try ending.json.first)
        #expect(answer.members?.map(\.key) == ["same", "differences", "reason"])
        return answer
    }

    @Test("Names what differs, and never prints a raw control character")
    func differs() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "red \u{1B}[31m at 12:00:01")
        _ = try await sandbox.run("enqueue", "red \u{1B}[31m at 12:00:02", "--temperature", "0.5")
        let answer = try await why(sandbox, "1", "2")
        #expect(answer["same"] == false)
        #expect(answer["reason"] == .null)
        #expect(answer["differences"]?.array?.map { $0["path"] } == ["messages[0].content", "temperature"])
        let first = try #require(answer["differences"]?.array?.first)
        #expect(first["hint"] == "looks like a time")
        #expect(first["a"] == "red \u{1B}[31m at 12:00:01")
        #expect(first["character"] == 21)
        #expect(answer["differences"]?.array?.last == ["path": "temperature", "a": .null, "b": 0.5, "character": .null, "hint": .null])

        let shown = try await sandbox.run("cache", "why", "1", "2")
        #expect(shown.lines.count == 3)
        #expect(shown.lines[1].contains("red \\u{1b}[31m at 12:00:01"))
        #expect(shown.lines[1].contains("looks like a time"))
        #expect(shown.lines[2].contains("(none)"))
        #expect(!shown.output.utf8.contains(0x1B))
        #expect(try await !sandbox.run("cache", "why", "1", "2", "--json").output.utf8.contains(0x1B))
    }

    @Test("Of two that are the same it says why the later was not answered from the cache")
    func same() async throws {
        let sandbox = try Sandbox()
        for _ in 1...2 { _ = try await sandbox.run("enqueue", "q") }
        func reason(_ a: String, _ b: String) async throws -> String? {
            let answer = try await why(sandbox, a, b)
            #expect(answer["same"] == true)
            return answer["reason"]?.string
        }
        #expect(try await reason("1", "2") == "job 1 has not finished yet")
        // The order in which they are named makes no difference.
        #expect(try await reason("2", "1") == "job 1 has not finished yet")
        try await sandbox.work()
        _ = try await sandbox.run("enqueue", "q")
        #expect(try await reason("1", "3") == "job 3 was answered from the cache")
        _ = try await sandbox.run("enqueue", "q", "--no-cache")
        #expect(try await reason("1", "4") == "job 4 does not use the cache")
        #expect(try await why(sandbox, "1", "4")["differences"]?.array?.first?["path"] == "cache")
        _ = try await sandbox.run("cache", "clear")
        _ = try await sandbox.run("enqueue", "q")
        #expect(try await reason("4", "5") == "job 4 does not use the cache, so its answer was not cached")
        #expect(
            try await reason("1", "5") == "the answer is no longer cached: it expired, or was evicted or deleted")
        _ = try await sandbox.run("cancel", "5")
        _ = try await sandbox.run("enqueue", "q")
        #expect(try await reason("5", "6") == "job 5 has no answer (cancelled)")
        #expect(try await sandbox.run("cache", "why", "1", "3").lines == ["the requests are equal: job 3 was answered from the cache"])
    }

    @Test("A provider that has another address since")
    func provider() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "q")
        try sandbox.file("agent-queue.yaml", "providers:\n  local: { base_url: http://127.0.0.1:9/v1 }\n")
        _ = try await sandbox.run("enqueue", "q")
        let answer = try await why(sandbox, "1", "2")
        #expect(answer["same"] == false)
        #expect(
            answer["differences"] == [
                [
                    "path": "provider", "a": "configured otherwise", "b": "openai http://127.0.0.1:9/v1, as configured now",
                    "character": .null, "hint": .null,
                ]
            ])
    }
}
