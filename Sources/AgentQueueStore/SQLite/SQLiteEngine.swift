import AgentQueueModel
import CAgentQueue
import Foundation
import GRDB
import Synchronization

/// An open database file: its connections, and the lock file and bell next to it. Everything in the store that depends on SQLite is behind
/// this type and in this folder; the rest uses ``ReadConnection``, ``WriteConnection``, ``Checkpoints``, ``Bell`` and ``LockFile``.
final class SQLiteEngine: Sendable {
    /// The absolute path of the file.
    let path: String
    /// Wakes waiting processes.
    let bell: Bell
    /// Shows which workers are alive, and whose calls have begun.
    let locks: LockFile
    /// Whether this process has committed a change.
    let hasWritten = Atomic(false)
    /// Whether this process was able to write lately.
    let health = WriteHealth()
    let commitTimes = CommitTimes()

    /// Whether the file is still the one at the path.
    let place: DatabasePlace

    let pool: DatabasePool
    private let space: FileSpace
    private let configuration: Configuration
    private let longestLogLeft: Int64
    /// What has to be checked where nothing may be written; nil where it may.
    let readOnly: ReadOnlyDatabase?

    /// GRDB's pool makes and drops a table where the log is empty, so every process leaves something in it: about five pages. Nobody misses
    /// them in a copy of the file, and a command that only reads is not to wait for the disk on their account.
    private static let longestLogOfReader: Int64 = 8 * 4_120

    /// Opens a file, creating and migrating it as the options allow.
    /// - Returns: the engine, and the group commit for the writer's thread.
    static func open(_ path: String, _ options: StoreOptions) throws -> (engine: SQLiteEngine, commits: GroupCommit) {
        _ = configuresSQLite
        let path = try absolute(path)
        do {
            if options.isReadOnly ?? ReadOnlyDatabase.isNeeded(path) {
                let engine = try SQLiteEngine(reading: path, options)
                return (engine, try engine.commits(checkpointer: nil, options))
            }
            let configuration = DatabaseFile.configuration(durability: options.durability)
            var options = options
            if try DatabaseFile.createIfMissing(path, options: options) { options.longestLogLeft = 0 }
            try KernelBeats(path: path + "-bell").refuseOthers(options.clock)
            let space = FileSpace.begin(path)
            var isOpen = false
            defer { if !isOpen { space.end() } }
            let first = try retryingBusy { try DatabaseFile.refuseForeign(path, configuration: configuration) }
            let locks = try LockFile.shared(at: path + "-lock")
            try locks.beginUse()
            do {
                let engine = try SQLiteEngine(path, locks, space, configuration, options)
                let commits = try engine.commits(checkpointer: first, options)
                isOpen = true
                return (engine, commits)
            } catch {
                locks.endUse()
                throw error
            }
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    private func commits(checkpointer: DatabaseQueue?, _ options: StoreOptions) throws -> GroupCommit {
        let connection = try WriteConnection(of: pool)
        let checkpoints = Checkpoints(
            connection, checkpointer: checkpointer, configuration: configuration, path: path, options: options)
        return GroupCommit(connection, checkpoints, space, health, commitTimes, clock: options.clock, path: path)
    }

    private init(
        _ path: String, _ locks: LockFile, _ space: FileSpace, _ configuration: Configuration, _ options: StoreOptions
    ) throws {
        self.path = path
        self.locks = locks
        self.space = space
        self.configuration = configuration
        longestLogLeft = options.longestLogLeft
        readOnly = nil
        bell = try Bell(path: path + "-bell")
        let pool = try Self.retryingBusy { try DatabasePool(path: path, configuration: configuration) }
        self.pool = pool
        try Unstoppable.run {
            try pool.writeWithoutTransaction { database in
                try DatabaseFile.checkIdentity(database, path: path)
                try DatabaseFile.applySettings(to: database, durability: options.durability, path: path)
                try Migrator.run(database, path: path, applies: options.migrates, now: options.clock.wall())
            }
        }
        place = DatabasePlace(path)
    }

    /// Opens a file that may not be written. Every write fails.
    private init(reading path: String, _ options: StoreOptions) throws {
        guard try PrivateFile.inspect(path) else { throw StoreError(.notFound, "\(path): there is no such database") }
        let locks = try LockFile.shared(at: path + "-lock", isReadOnly: true)
        let readOnly = try ReadOnlyDatabase(path, locks: locks)
        var configuration = DatabaseFile.configuration(durability: options.durability)
        configuration.readonly = true
        self.path = path
        self.locks = locks
        self.configuration = configuration
        self.readOnly = readOnly
        longestLogLeft = .max
        bell = try Bell()
        pool = try Self.retryingBusy { [configuration] in try DatabasePool(path: readOnly.name, configuration: configuration) }
        try pool.read { database in
            try DatabaseFile.refuseForeignLog(database, path: path)
            try DatabaseFile.checkIdentity(database, path: path)
            try Migrator.run(database, path: path, applies: false, now: options.clock.wall())
        }
        try readOnly.check()
        place = DatabasePlace(path)
        try locks.beginUse()
        space = FileSpace.begin(path)
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
        try place.require()
        do {
            let value = try pool.read { try body(ReadConnection($0)) }
            try readOnly?.check()
            return value
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Closes the connections. The writer's thread must have ended.
    ///
    /// The last process to close moves the log into the file and deletes it, so that a plain copy of the file is a whole database, and no
    /// log is left for another file to be put beside. It holds byte 0 of the lock file exclusively meanwhile; SQLite, too, does this only
    /// where no other connection is open, which makes it safe from the WAL-reset bug. If it fails, because the disk is full, say, the log
    /// stays and is still part of the database.
    func close() {
        try? pool.close()
        space.end()
        locks.endUse()
        let longest = hasWritten.load(ordering: .relaxed) ? longestLogLeft : max(longestLogLeft, Self.longestLogOfReader)
        guard DatabaseFile.logLength(of: path) > longest, place.isSame, locks.beginClosing() else { return }
        defer { locks.endUse() }
        // See above.
        try? DatabaseFile.closeWhole(DatabaseQueue(path: path, configuration: configuration))
    }
}
