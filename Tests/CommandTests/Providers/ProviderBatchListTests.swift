import AgentQueueModel
import AgentQueueReports
import Testing

@testable import AgentQueueStore
@testable import agent_queue

/// `providers batches`, and what pending jobs wait for.
@Suite struct ProviderBatchListTests {
    @Test("Without batches there is only a header")
    func empty() async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let ending = try await sandbox.run("providers", "batches", "--json")
        #expect(ending.status == 0)
        #expect(ending.output.isEmpty)
        #expect(try await sandbox.run("providers", "batches").lines.count == 1)
    }

    @Test("A batch a line, newest first; those that ended with --all")
    func lists() async throws {
        let sandbox = try Sandbox()
        try await sandbox.withStore { store in
            _ = try await store.write { transaction in
                try transaction.statement(
                    """
                    INSERT INTO provider_batches (target, provider, kind, state, label, remote_id, jobs, created_at, submitted_at, due_at,
                    expires_at, error) VALUES
                    ('openai/m', 'openai', 'generate', 'ended', 'a', 'batch_1', 0, 1000, 2000, 3000, 4000, 'it\u{1B}failed'),
                    ('openai/m', 'openai', 'embed', 'collecting', 'b', NULL, 7, 10000, NULL, 30000, NULL, NULL)
                    """
                ).run()
            }
        }
        let open = try await sandbox.run("providers", "batches", "--json").json
        #expect(
            open == [
                [
                    "id": 2, "target": "openai/m", "kind": "embed", "state": "collecting", "remote_id": .null, "jobs": 7,
                    "open": 0,
                    "created_at": "1970-01-01T00:00:10.000Z", "submitted_at": .null, "due_at": "1970-01-01T00:00:30.000Z",
                    "expires_at": .null, "ended_at": .null, "error": .null,
                ]
            ])
        let all = try await sandbox.run("providers", "batches", "--all", "--json").json
        #expect(all.map { $0["id"] } == [2, 1])
        #expect(all[1]["remote_id"] == "batch_1")
        #expect(all[1]["submitted_at"] == "1970-01-01T00:00:02.000Z")
        let shown = try await sandbox.run("providers", "batches", "--all")
        #expect(shown.lines.count == 3)
        #expect(shown.lines[2].contains("batch_1"))
        #expect(shown.lines[2].contains("it\\u{1b}failed"))
        #expect(try await sandbox.run("providers", "batches", "--all", "--limit", "1", "--json").json.count == 1)
    }

    @Test("show says what a pending job waits for")
    func waits() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "a")
        _ = try await sandbox.run("enqueue", "b", "--after", "1")
        #expect(try await sandbox.run("show", "2", "--json").json.first?["waits_for"] == "job 1")
        #expect(try await sandbox.run("show", "2").lines.contains { $0.wholeMatch(of: /waiting for +job 1/) != nil })
        #expect(try await sandbox.run("show", "1", "--json").json.first?["waits_for"] == nil)
    }
}
