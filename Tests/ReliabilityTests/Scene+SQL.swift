import AgentQueueModel
import AgentQueueTestSupport

@testable import AgentQueueStore

extension Scene {
    /// The numbers that a query finds, a row each.
    func numbers(_ sql: String) throws -> [[Int64]] {
        try store.read { reader in
            try reader.statement(building: sql).all { row in (0..<row.columnCount).map { row.int64($0) } }
        }
    }

    /// The one number that a query finds; nil for NULL, or no row.
    func number(_ sql: String) throws -> Int64? {
        try store.read { try $0.statement(building: sql).first { $0.optionalInt64(0) } ?? nil }
    }

    /// Empties the write-ahead log, which leaves its file without a byte.
    func emptyLog() throws {
        let connection = try WriteConnection(path: database, durability: .full)
        defer { connection.close() }
        let busy = try connection.hold { try connection.statement("PRAGMA wal_checkpoint(TRUNCATE)").number() }
        guard busy == 0 else { throw TookTooLong("a reader keeps the log from being emptied") }
    }
}
