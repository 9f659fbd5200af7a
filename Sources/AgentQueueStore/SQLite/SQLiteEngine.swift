import AgentQueueModel
import CAgentQueue
import Foundation
import GRDB

/// A database file, open: its connections, the lock file and the bells beside it. Everything of the store that knows SQLite stands behind
/// this and in this folder; the rest speaks to ``ReadConnection``, ``WriteConnection``, ``Checkpoints``, ``Bell`` and ``LockFile``.
final class SQLiteEngine: Sendable {
    /// The file, absolute.
    let path: String
    /// Wakes processes that wait.
    let bell: Bell
    /// Says which workers live, and whose calls have begun.
    let locks: LockFile

    let pool: DatabasePool
    private let configuration: Configuration

    /// Opens a file, making and migrating it as the options say.
    /// - Returns: the engine, and what the writer's thread commits with.
    static func open(_ path: String, _ options: StoreOptions) throws -> (engine: SQLiteEngine, commits: GroupCommit) {
        _ = configuresSQLite
        let path = try absolute(path)
        do {
            let configuration = DatabaseFile.configuration(durability: options.durability)
            let exists = try PrivateFile.inspect(path)
            guard exists || options.createsFile else { throw StoreError(.notFound, "\(path): there is no such database") }
            let first = exists ? try retryingBusy { try DatabaseFile.refuseForeign(path, configuration: configuration) } : nil
            if !exists { try PrivateFile.makeFolder(of: path) }
            let locks = try LockFile.shared(at: path + "-lock")
            try locks.beginUse()
            do {
                let engine = try SQLiteEngine(path, locks, configuration, options)
                let connection = try WriteConnection(of: engine.pool)
                let checkpoints = Checkpoints(connection, checkpointer: first, configuration: configuration, path: path, options: options)
                return (engine, GroupCommit(connection, checkpoints, clock: options.clock, path: path))
            } catch {
                locks.endUse()
                throw error
            }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    private init(_ path: String, _ locks: LockFile, _ configuration: Configuration, _ options: StoreOptions) throws {
        self.path = path
        self.locks = locks
        self.configuration = configuration
        bell = try Bell(path: path + "-bell")
        try DatabaseFile.prepareNew(path)
        pool = try Self.retryingBusy { try DatabasePool(path: path, configuration: configuration) }
        try pool.writeWithoutTransaction { database in
            try DatabaseFile.checkIdentity(database, path: path)
            try DatabaseFile.settle(database, durability: options.durability, path: path)
            try Migrator.run(database, path: path, applies: options.migrates, now: options.clock.wall())
        }
    }

    /// A lock that another process holds for a moment at opening (it recovers the WAL, or makes the file) is waited for.
    private static func retryingBusy<T>(_ open: () throws -> T) throws -> T {
        var tries = 0
        while true {
            do {
                return try open()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && tries < 1_000 {
                tries += 1
                _ = BusyHandler.wait(0)
            }
        }
    }

    /// Once in a process. Fails harmlessly where the program has used SQLite before.
    private static let configuresSQLite = platform_sqlite_forgo_memory_statistics()

    private static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw StoreError(.notFound, "the database needs a file name") }
        guard !path.hasPrefix("/") else { return path }
        return FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Reads on a snapshot.
    /// - Throws: `StoreError`.
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value {
        do {
            return try pool.read { try body(ReadConnection($0)) }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Closes the connections. The writer's thread must have ended.
    func close() {
        try? pool.close()
        locks.endUse()
    }
}
