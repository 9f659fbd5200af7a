import AgentQueueModel
import CAgentQueue
import Foundation
import GRDB

/// An open database file: its connections, and the lock file and bell next to it. Everything in the store that depends on SQLite is behind
/// this type and in this folder; the rest uses ``ReadConnection``, ``WriteConnection``, ``Checkpoints``, ``Bell`` and ``LockFile``.
final class SQLiteEngine: Sendable {
    /// The absolute path of the file.
    let path: String
    /// Wakes waiting processes.
    let bell: Bell
    /// Shows which workers are alive, and whose calls have begun.
    let locks: LockFile

    let pool: DatabasePool
    private let space: FileSpace
    private let configuration: Configuration

    /// Opens a file, creating and migrating it as the options allow.
    /// - Returns: the engine, and the group commit for the writer's thread.
    static func open(_ path: String, _ options: StoreOptions) throws -> (engine: SQLiteEngine, commits: GroupCommit) {
        _ = configuresSQLite
        let path = try absolute(path)
        do {
            let configuration = DatabaseFile.configuration(durability: options.durability)
            let exists = try PrivateFile.inspect(path)
            guard exists || options.createsFile else { throw StoreError(.notFound, "\(path): there is no such database") }
            if !exists { try PrivateFile.makeFolder(of: path) }
            try KernelBeats(path: path + "-bell").refuseOthers(options.clock)
            let space = FileSpace.begin(path)
            var isOpen = false
            defer { if !isOpen { space.end() } }
            let first = exists ? try retryingBusy { try DatabaseFile.refuseForeign(path, configuration: configuration) } : nil
            let locks = try LockFile.shared(at: path + "-lock")
            try locks.beginUse()
            do {
                let engine = try SQLiteEngine(path, locks, space, configuration, options)
                let connection = try WriteConnection(of: engine.pool)
                let checkpoints = Checkpoints(connection, checkpointer: first, configuration: configuration, path: path, options: options)
                isOpen = true
                return (engine, GroupCommit(connection, checkpoints, space, clock: options.clock, path: path))
            } catch {
                locks.endUse()
                throw error
            }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    private init(
        _ path: String, _ locks: LockFile, _ space: FileSpace, _ configuration: Configuration, _ options: StoreOptions
    ) throws {
        self.path = path
        self.locks = locks
        self.space = space
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

    /// Retries while another process holds a lock briefly during opening, because it recovers the WAL or creates the file.
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

    /// Once per process. Fails harmlessly if the program has already used SQLite.
    private static let configuresSQLite = platform_sqlite_forgo_memory_statistics()

    private static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw StoreError(.notFound, "the database needs a file name") }
        guard !path.hasPrefix("/") else { return path }
        return FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Reads from a snapshot.
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
        space.end()
        locks.endUse()
    }
}
