import AgentQueueMigrations
import AgentQueueModel
import GRDB

/// Brings a database's schema up to date. Each step runs in its own transaction and is recorded with the checksum of its text. A newer or
/// altered history is refused.
enum Migrator {
    /// Checks the history, and applies the missing steps if `applies` is true.
    /// - Returns: the names of the steps applied.
    @discardableResult
    static func run(_ database: Database, path: String, applies: Bool, now: Int64) throws -> [String] {
        var applied: [String] = []
        while let next = try pending(database, path: path).first {
            guard applies else {
                throw StoreError(.olderSchema, "\(path): the database is older than this program and has to be migrated")
            }
            try database.inTransaction(.immediate) {
                // Another process may have applied it first.
                guard try pending(database, path: path).first?.version == next.version else { return .commit }
                try database.execute(sql: next.sql)
                try database.execute(
                    sql: "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
                    arguments: [next.version, next.name, next.checksum, now])
                try database.execute(sql: "PRAGMA user_version = \(next.version)")
                applied.append(next.name)
                return .commit
            }
        }
        return applied
    }

    /// Checks the history and returns the steps still to apply.
    static func pending(_ database: Database, path: String) throws -> [Migration] {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let known = Migration.all
        guard version <= known.count else {
            throw StoreError(
                .newerSchema,
                "\(path): the database was written by a later version (schema \(version), this program knows \(known.count)); upgrade agent-queue"
            )
        }
        guard version > 0 else {
            if try !hasTable(database) { try makeTable(database) }
            return known
        }
        let history =
            try hasTable(database)
            ? Row.fetchAll(database, sql: "SELECT version, name, checksum FROM migrations ORDER BY version") : []
        for (row, migration) in zip(history, known) where row["checksum"] as String != migration.checksum {
            throw StoreError(
                .alteredSchema,
                "\(path): the migration \(migration.name) that was applied is not the one this program knows; restore a backup")
        }
        guard history.count == version else {
            // Another process may have applied a step between the two reads.
            guard try Int.fetchOne(database, sql: "PRAGMA user_version") == version else { return try pending(database, path: path) }
            throw StoreError(.alteredSchema, "\(path): the record of migrations is incomplete; restore a backup")
        }
        return Array(known.dropFirst(version))
    }

    /// A single query of the file's list of tables. (GRDB's `tableExists` reads the whole schema, every time a process starts.)
    private static func hasTable(_ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations')") ?? false
    }

    private static func makeTable(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS migrations (
                    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL
                ) STRICT
                """)
    }
}
