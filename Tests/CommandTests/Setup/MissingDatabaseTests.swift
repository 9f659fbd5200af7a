import Foundation
import Testing

/// Where there is no database: commands that add something make one, the others say so.
@Suite struct MissingDatabaseTests {
    @Test(
        "Commands that only read or change end with 69 and make nothing",
        arguments: [
            "list", "list --json", "show 1", "result 1", "results --format csv", "wait 1", "wait --batch b", "cancel 1",
            "retry --state failed",
            "delete 1", "pause q", "resume q", "queues", "batches", "batches show b", "retry --again 1", "stats", "stats --json", "prune",
            "prune --dry-run", "cache stats", "cache list",
            "cache get abc", "cache clear", "cache why 1 2", "schedule list", "notifications list", "runs", "run show 1", "run cancel 1",
            "run retry 1", "run wait 1", "run output 1",
            "memory list", "memory search x --mode words", "memory stats", "memory get 1", "memory export", "memory delete 1",
            "providers batches", "database status", "database check", "database backup copy.db", "database vacuum",
        ])
    func refuses(command: String) async throws {
        let sandbox = try Sandbox()
        let ending = try await sandbox.shell("\"$AQ\" \(command)")
        #expect(ending.status == 69)
        #expect(
            ending.sentence == "\(sandbox.database): no database yet; add a job to create it, or choose another file with --database",
            "\(ending.error)")
        #expect(ending.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(sandbox.folder)/data"))
    }

    @Test(
        "Commands that add something make it, for its owner alone",
        arguments: [
            "enqueue hello", "database migrate", "pause --create q", "schedule add '0 7 * * *' hello",
            "memory store --vector '[1, 0]' hello",
        ])
    func makes(command: String) async throws {
        let sandbox = try Sandbox()
        let ending = try await sandbox.shell("umask 000; \"$AQ\" \(command) >&2 && stat -c %a data data/queue.db")
        #expect(ending.lines == ["700", "600"], "\(ending.error)")
    }
}
