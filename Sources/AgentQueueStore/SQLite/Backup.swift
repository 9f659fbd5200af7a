import AgentQueueMigrations
import AgentQueueModel
import Foundation
import GRDB
import GRDBSQLite
import Glibc

extension QueueStore {
    /// Replaces a database with a backup. Refuses if a process is using the database, or if the backup is not an intact AgentQueue
    /// database. The replaced file is kept next to it, under the name returned; nil if there was none.
    package static func restore(from backup: String, to path: String, clock: StoreClock = .system) throws -> String? {
        guard try PrivateFile.inspect(backup) else { throw StoreError(.notFound, "\(backup): there is no such backup") }
        guard !isSameFile(backup, path) else { throw StoreError(.conflict, "\(backup): is the database itself; name a backup of it") }
        do {
            try PrivateFile.makeFolder(of: path)
            return try LockFile.shared(at: path + "-lock").whileUnused {
                do { try inspect(backup) } catch { throw error.asStoreError(path: backup) }
                let replaced = try setAside(path, at: clock.wall())
                do {
                    try copy(backup, to: path)
                } catch {
                    // Put the replaced files back.
                    if let replaced { for suffix in suffixes { rename(replaced + suffix, path + suffix) } }
                    throw error
                }
                return replaced
            }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Whether a database is missing while files beside it show that there was one.
    package static func isIncomplete(_ path: String) -> Bool {
        FileIdentity(path: path) == nil && !DatabaseFile.leftovers(of: path).isEmpty
    }

    /// Returns the migrations that a file has and those it lacks. Opens the file directly, so that asking does not migrate it.
    package static func migrations(of path: String) throws -> (applied: [String], pending: [String]) {
        guard try PrivateFile.inspect(path) else { return ([], Migration.all.map(\.name)) }
        do {
            let database = try DatabaseQueue(path: path, configuration: DatabaseFile.configuration(durability: .full))
            let pending = try database.inDatabase { database in
                try DatabaseFile.checkIdentity(database, path: path)
                return try Migrator.pending(database, path: path).map(\.name)
            }
            try database.close()
            return (Migration.all.map(\.name).filter { !pending.contains($0) }, pending)
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    private static func isSameFile(_ one: String, _ other: String) -> Bool {
        var first = stat()
        var second = stat()
        guard lstat(one, &first) == 0, lstat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    private static func copy(_ backup: String, to path: String) throws {
        let source = try DatabaseQueue(path: backup, configuration: readOnly)
        let isPlaced = try NewDatabase.place(at: path) { try source.backup(to: $0) }
        try source.close()
        guard isPlaced else { throw StoreError(.busy, "\(path): another process has made a database there; try again") }
    }

    /// A database's file, its write-ahead log and the log's index.
    private static let suffixes = ["", "-wal", "-shm"]

    private static var readOnly: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        return configuration
    }

    private static func inspect(_ backup: String) throws {
        let database = try DatabaseQueue(path: backup, configuration: readOnly)
        try database.inDatabase { database in
            try DatabaseFile.checkIdentity(database, path: backup)
            let known = Migration.all.count
            guard try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0 <= known else {
                throw StoreError(.newerSchema, "\(backup): was written by a later version; upgrade agent-queue")
            }
            guard try String.fetchOne(database, sql: "PRAGMA quick_check(1)") == "ok" else {
                throw StoreError(.corrupt, "\(backup): the backup is damaged")
            }
        }
        try database.close()
    }

    /// Renames a database and its log out of the way, or what is left of them. Call only while no process uses the database.
    private static func setAside(_ path: String, at now: Int64) throws -> String? {
        _ = try PrivateFile.inspect(path)
        let aside = "\(path).replaced-\(now)"
        var found = false
        for suffix in suffixes {
            if rename(path + suffix, aside + suffix) == 0 {
                found = true
            } else if errno != ENOENT {
                throw PrivateFile.failure(path + suffix, errno)
            }
        }
        return found ? aside : nil
    }
}

extension MaintenanceStore {
    /// Rewrites the whole file without free pages. Refuses while workers are alive, because they would have to wait for it.
    package func vacuum() throws {
        guard try workers().allSatisfy({ !isRunning($0) }) else {
            throw StoreError(.busy, "workers are running; stop them first")
        }
        do {
            try store.engine.pool.writeWithoutTransaction { database in
                // VACUUM attaches the file it writes; the connection otherwise refuses to attach any.
                let limit = sqlite3_limit(database.sqliteConnection, SQLITE_LIMIT_ATTACHED, 1)
                defer { sqlite3_limit(database.sqliteConnection, SQLITE_LIMIT_ATTACHED, limit) }
                // VACUUM's copy is as large as the database, so it must not be held in memory.
                try database.execute(sql: "PRAGMA temp_store = FILE; PRAGMA cache_spill = ON")
                defer { try? database.execute(sql: "PRAGMA cache_spill = OFF; PRAGMA temp_store = MEMORY") }
                try database.execute(sql: "VACUUM")
            }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Copies a consistent snapshot of the database into a new file while workers run (SQLite's backup interface). The file appears when it
    /// is whole; a backup that fails leaves nothing behind.
    /// - Parameter isCancelled: asked again and again whether to give up.
    /// - Throws: `StoreError`; `conflict` if the file already exists. `CancellationError`.
    package func backup(to destination: String, isCancelled: @escaping () -> Bool = { false }) throws {
        guard try !PrivateFile.inspect(destination) else {
            throw StoreError(.conflict, "\(destination): is there already; a backup overwrites nothing")
        }
        do {
            // A single file, without a log next to it.
            let isPlaced = try NewDatabase.place(at: destination, mode: "DELETE") { copy in
                try store.engine.pool.read { source in
                    // The read begins the snapshot. Without it, each step would begin one, and start over after every commit.
                    _ = try Int32.fetchOne(source, sql: "PRAGMA user_version")
                    try copy.inDatabase { copy in
                        try source.backup(to: copy, pagesPerStep: Self.backupStep) { _ in
                            if isCancelled() { throw CancellationError() }
                        }
                    }
                }
                try store.engine.readOnly?.check()
            }
            guard isPlaced else { throw StoreError(.conflict, "\(destination): is there already; a backup overwrites nothing") }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw error.asStoreError(path: destination)
        }
    }

    /// How many pages a backup copies at a time: 16 MB.
    private static var backupStep: CInt { 4_096 }
}
