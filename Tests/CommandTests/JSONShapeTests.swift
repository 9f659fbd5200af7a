import AgentQueueModel
import AgentQueueStore
import Testing

/// The shapes that scripts rely on: keys may be added, never renamed.
@Suite struct JSONShapeTests {
    @Test("A job that was answered")
    func job() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question", "--batch", "b", "--tag", "t")
        try await sandbox.work()
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        let keys = try #require(job.members).map(\.key)
        for key in [
            "id", "custom_id", "kind", "queue", "model", "state", "priority", "attempt", "max_attempts", "worker", "created_at",
            "scheduled_at",
            "attempted_at", "finalized_at", "batch", "tags", "metadata", "unique_key", "request", "result", "errors",
        ] {
            #expect(keys.contains(key), "\(key)")
        }
        #expect(job["id"] == 1)
        #expect(job["state"] == "completed")
        #expect(job["attempt"] == 1)
        #expect(job["worker"] == .null)
        #expect(try #require(job["created_at"]?.string).wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        let result = try #require(job["result"])
        #expect(result["text"] == "an answer")
        #expect(result["finish_reason"] == "stop")
        #expect(result["usage"] == ["input_tokens": 5, "output_tokens": 7])
        #expect(result["cost_usd"]?.number == 0.25)
        #expect(result["answered_by"] == "provider")
        #expect(result["target"] == "local/smollm2")
        #expect(result["latency_ms"] == 42)
        #expect(try await sandbox.run("result", "1", "--json").json.first == result)
        let history: Set = ["timeline", "waits", "attempts", "sent"]
        #expect(history.isSubset(of: keys))
        #expect(job["attempts"]?.array?.map { $0["outcome"] } == ["answered"])
        let plain = JSONValue.object(try #require(job.members).filter { !history.contains($0.key) })
        #expect(try await sandbox.run("wait", "1", "--json").json.first == plain)
        #expect(try await sandbox.run("list", "--json").json.first == plain)
    }

    @Test("A job that failed")
    func failedJob() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question")
        try await sandbox.work { _ in nil }
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["result"] == .null)
        #expect(
            job["errors"] == [
                [
                    "attempt": 1, "at": job["errors"]?.array?.first?["at"] ?? .null, "class": "permanent",
                    "message": "the model said \u{1B}[31mno", "target": .null, "cost_usd": 0, "partial": .null,
                ]
            ])
    }

    @Test("A job that runs names its worker")
    func runningJob() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question")
        try await sandbox.withStore { store in
            let worker = try await store.claims.registerWorker()
            _ = try await store.claims.claim(
                .init(worker: worker.id, queues: nil, providers: ["local"], slots: 1, lease: 60_000, isIdle: true))
            let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
            #expect(job["state"] == "running")
            #expect(job["worker"]?["id"]?.int == Int(worker.id))
            #expect(job["worker"]?["pid"]?.int != nil)
            let stats = try #require(try await sandbox.run("stats", "--json").json.first)
            #expect(stats["workers"]?.array?.first?["alive"] == true)
            #expect(try await sandbox.run("cancel", "1").output.contains("running; cancellation requested"))
            #expect(try await sandbox.run("show", "1", "--json").json.first?["cancel_requested_at"]?.string != nil)
        }
    }

    @Test("stats")
    func stats() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question")
        _ = try await sandbox.run("enqueue", "other", "--queue", "q2")
        try await sandbox.work { $0.contains("question") ? "yes" : nil }
        _ = try await sandbox.run("enqueue", "question")
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["states"]?.members?.map(\.key) == JobState.allCases.map(\.rawValue))
        #expect(stats["states"]?["completed"] == 2)
        #expect(stats["states"]?["discarded"] == 1)
        #expect(stats["queues"]?.array?.map { $0["name"] } == ["default", "q2"])
        #expect(stats["targets"]?.array?.first?["target"] == "local/smollm2")
        #expect(stats["throughput"]?.members != nil)
        #expect(stats["latency_ms"] == ["p50": 42, "p95": 42, "p99": 42])
        #expect(stats["usage"] == ["input_tokens": 5, "output_tokens": 7])
        #expect(stats["cost_usd"]?.number == 0.25)
        #expect(stats["saved_usd"]?.number == 0.25)
        #expect(stats["cache"]?["entries"] == 1)
        #expect(stats["cache"]?["hits"] == 1)
        #expect(stats["cache"]?["evictions"] == 0)
        #expect(stats["cache"]?["coalesced"] == 0)
        #expect(stats["cache"]?["saved_usd"]?.number == 0.25)
        #expect(try await sandbox.run("cache", "stats", "--json").json.first == stats["cache"])
        let cache = try await sandbox.run("cache", "stats").lines
        #expect(cache.contains { $0.wholeMatch(of: /saved +\$0\.25\d*/) != nil })
        #expect(cache.contains { $0.wholeMatch(of: /evictions +0/) != nil })
        #expect(try await sandbox.run("stats").lines.contains { $0.hasPrefix("saved ") })
        #expect(stats["memories"] == 0)
        for key in ["bytes", "wal_bytes", "free_bytes"] { #expect(stats["database"]?[key]?.int != nil, "\(key)") }
    }

    @Test("prune")
    func prune() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question")
        _ = try await sandbox.run("enqueue", "open")
        _ = try await sandbox.run("cancel", "1")
        let keys = ["jobs", "runs", "cache_entries", "memories", "audit_entries", "files", "client_batches", "bytes_freed"]
        let dry = try #require(try await sandbox.run("prune", "--older-than", "0s", "--dry-run", "--json").json.first)
        #expect(dry.members?.map(\.key) == keys)
        #expect(dry["jobs"] == 1)
        #expect(try await sandbox.run("prune", "--json").json.first?["jobs"] == 0)
        #expect(try await sandbox.run("prune", "--older-than", "0s", "--json").json.first?["jobs"] == 1)
        #expect(try await sandbox.run("list", "--json").json.map { $0["id"] } == [2])
    }
}
