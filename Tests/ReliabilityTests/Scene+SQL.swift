import GRDB

@testable import AgentQueueStore

// In a file of its own: beside GRDB's operators the macros of Testing do not compile.

extension Scene {
    /// The numbers that a query finds, a row each.
    func numbers(_ sql: String) throws -> [[Int64]] {
        try store.read { database in
            try Row.fetchAll(database, sql: sql).map { row in (0..<row.count).map { row[$0] as Int64 } }
        }
    }

    /// The one number that a query finds; nil for NULL, or no row.
    func number(_ sql: String) throws -> Int64? {
        try store.read { try Int64.fetchOne($0, sql: sql) }
    }
}
