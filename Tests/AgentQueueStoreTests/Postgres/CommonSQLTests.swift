import AgentQueueMigrations
import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

/// What the store says to SQLite, PostgreSQL understands too: the texts are in the subset that both have (docs/sql.md).
@Suite(.enabled(if: PostgresServer.url != nil, "no PostgreSQL: scripts/postgres start"))
struct CommonSQLTests {
    private let server = PostgresServer(url: PostgresServer.url ?? "")

    /// What only SQLite is told: its settings, its file, the index of words and the record of migrations.
    private static func isForSQLiteAlone(_ sql: String) -> Bool {
        let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        guard verbs.contains(where: { sql.drop(while: \.isWhitespace).hasPrefix($0) }) else { return true }
        return ["memory_words", "sqlite_", "pragma_", " migrations"].contains { sql.contains($0) }
    }

    /// A job's life, a failure, a rescue, a limit, a stream, and what looks after them: so that there are texts to check where this test runs
    /// alone. scripts/check runs it once more at its end, over what all suites have prepared.
    private func useTheStore(_ f: Fixture) async throws {
        let first = try await f.running { $0.maxAttempts = 9 }
        try await f.add { $0.after = [first.id] }
        try await f.fail(first)
        _ = try await f.claim(1, worker: try f.deadWorker())
        let limited = CallPolicies.limiting(["local": CallLimits(tokensPerMinute: 1_000_000, usdPerDay: 9)], tokens: 10, worst: 1)
        try await f.add {
            $0.isStreamed = true
            $0.batch = "b"
            $0.budget = 5
        }
        for job in try await f.claim(limited) { try await f.answer(job, cost: 1) }
        for job in try await f.claim() { _ = try await f.complete(job, cacheFor: 10_000_000) }
        for _ in 0..<2 {
            let call = try await f.submit("hello", samples: 2) { $0.idempotencyKey = "k" }.call
            let client = try await f.submit("hello", samples: 2) { $0.isRetry = true }.client
            _ = try f.store.gateway.outcomes(of: [call])
            _ = try f.store.gateway.lane(of: call, policies: limited, withPlace: true)
            try await f.store.gateway.left(call, client: client, server: f.worker, expiresAt: f.clock.wall + 1)
            try await f.store.gateway.cancelAbandoned(call, client: client, server: f.worker)
            _ = try await f.store.gateway.giveUp(f.submit("other").call, client: 1, server: f.worker)
        }
        let key = try await f.store.keys.create(NewAPIKey(name: "a"), secret: [1], by: "me")
        try await f.store.keys.touch(key)
        var limits = KeyLimits()
        limits.usdTotal = 1
        _ = try await f.store.keys.setLimits(limits, of: "a", by: "me")
        _ = try f.store.keys.use(of: key.id)
        var totals = CallTotals()
        _ = try f.store.maintenance.figures(&totals)
        _ = try await f.store.maintenance.promote()
        _ = try await f.store.maintenance.rescue()
        _ = try await f.store.maintenance.expire()
        _ = try await f.store.maintenance.prune(
            PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, maxCacheBytes: 1))
        _ = try f.store.maintenance.statistics()
        #expect(try f.store.maintenance.check().faults.isEmpty)
    }

    @Test func postgreSQLPreparesEveryStatement() async throws {
        try await withStore { f in try await useTheStore(f) }
        let texts = StatementRecorder.texts.filter { !Self.isForSQLiteAlone($0) }.sorted()
        #expect(texts.count > 100)
        let refusals = try await server.withSchema(Migration.all.map(\.sql)) { use in try await server.refusals(of: texts, use: use) }
        #expect(refusals.isEmpty, "\(refusals.map(\.description).joined(separator: "\n\n"))")
    }

    /// What this test would not find would go unseen: it names what PostgreSQL refuses, and types that the store does not speak.
    @Test(
        arguments: [
            ("SELECT iif(state = 'running', 1, 0) FROM jobs", "iif"), ("SELECT id FROM jobs WHERE unique_key IS ?", "syntax error"),
            ("INSERT OR IGNORE INTO queues (name) VALUES (?)", "syntax error"), ("SELECT id FROM jobs WHERE use_cache", "boolean"),
            ("SELECT ? IS NULL", "data type"), ("SELECT avg(priority) FROM jobs", "its column avg is numeric"),
            ("SELECT id FROM jobs WHERE priority > 1.5 * ?", "a parameter is taken for numeric"),
            ("SELECT rowid FROM jobs", "rowid"), ("SELECT nothing FROM jobs", "nothing"),
        ] as [(String, String)])
    func otherStatementsAreRefused(_ sql: String, _ reason: String) async throws {
        let texts = ["SELECT id FROM jobs", sql, "SELECT id FROM jobs WHERE state = ?"]
        let refusals = try await server.withSchema(Migration.all.map(\.sql)) { use in try await server.refusals(of: texts, use: use) }
        #expect(refusals.map(\.sql) == [sql])
        #expect(refusals.first?.message.contains(reason) == true, "\(refusals)")
    }
}
