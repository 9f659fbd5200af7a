import AgentQueueModel
import CAgentQueue
import Foundation
import GRDB
import Synchronization

/// The queue's database: one file, shared by any number of processes.
///
/// Two rules. *Every change goes through ``write(_:)``*, which groups commits on one thread: a change is durable when
/// the call returns, and not before. *Reads run beside it*, on snapshots: what they return was true a moment ago, so a
/// change never relies on an earlier read but looks again inside its own transaction.
package final class QueueStore: Sendable {
    /// The database's file, absolute.
    package let path: String
    /// The bells of this database.
    package let bell: Bell
    /// The lock file of this database.
    package let locks: LockFile
    /// The clocks it goes by.
    package let clock: StoreClock
    /// What survives a power cut.
    package let durability: Durability

    let pool: DatabasePool
    let configuration: Configuration
    private let writer: Writer
    private let listeners = Mutex<[Bell.Word: BellListener]>([:])
    private let isClosed = Mutex(false)
    /// The latest change of memories when this process last compacted them.
    let compactedTo = Mutex<Int64>(0)

    /// Opens the database of a file, making and migrating it as the options say.
    /// - Throws: `StoreError`.
    package init(path: String, options: StoreOptions = StoreOptions()) throws {
        _ = Self.configuresSQLite
        let path = try Self.absolute(path)
        self.path = path
        clock = options.clock
        durability = options.durability
        configuration = DatabaseFile.configuration(durability: options.durability)
        var first: DatabaseQueue?
        do {
            if try PrivateFile.inspect(path) {
                first = try Self.retryingBusy { [configuration] in
                    try DatabaseFile.refuseForeign(path, configuration: configuration)
                }
            } else {
                guard options.createsFile else {
                    throw StoreError(.notFound, "\(path): there is no such database")
                }
                try PrivateFile.makeFolder(of: path)
            }
            locks = try LockFile.shared(at: path + "-lock")
            try locks.beginUse()
        } catch {
            throw error.asStoreError(path: path)
        }
        do {
            bell = try Bell(path: path + "-bell")
            try DatabaseFile.prepareNew(path)
            pool = try Self.retryingBusy { [configuration] in try DatabasePool(path: path, configuration: configuration) }
            try pool.writeWithoutTransaction { database in
                try DatabaseFile.checkIdentity(database, path: path)
                try DatabaseFile.settle(database, durability: options.durability, path: path)
                try Migrator.run(database, path: path, applies: options.migrates, now: options.clock.wall())
            }
            let connection = try WriteConnection(of: pool)
            let checkpoints = Checkpoints(
                connection, checkpointer: first, configuration: configuration, path: path, options: options)
            let commits = GroupCommit(connection, checkpoints, clock: options.clock, path: path)
            writer = Writer(commits, path: path) { [bell] work, results in
                if work { bell.ring(.work) }
                if results { bell.ring(.done) }
            }
        } catch {
            locks.endUse()
            throw error.asStoreError(path: path)
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

    /// Carries out what was submitted, and closes. The store cannot be used after.
    package func close() {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        guard isFirst else { return }
        for listener in listeners.withLock({ Array($0.values) }) { listener.stop() }
        writer.stop()
        try? pool.close()
        locks.endUse()
    }

    deinit { close() }

    /// Carries out a change in the writer's next transaction, and returns its value once that is committed. The
    /// operation may run more than once and must publish nothing itself.
    /// - Throws: `StoreError`.
    func write<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await writer.perform(operation)
    }

    /// Reads on a snapshot.
    /// - Throws: `StoreError`.
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value {
        try readDatabase { try body(ReadConnection($0)) }
    }

    /// Reads on a snapshot through GRDB.
    func readDatabase<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Yields at once, after every ring of that bell, and at least once a second. Rings that come while the consumer is busy
    /// are one. Ends with the store.
    package func changes(of word: Bell.Word) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let listener = listener(for: word)
        let id = listener.add(BellListener.Ear(hear: { continuation.yield() }, end: { continuation.finish() }))
        continuation.onTermination = { _ in listener.remove(id) }
        continuation.yield()
        return stream
    }

    /// Calls `hear`, on the bell's own thread, after every ring and at least once a second, until the store closes. It must
    /// return at once. The shortest way from another process's commit.
    package func onChange(of word: Bell.Word, _ hear: @escaping @Sendable () -> Void) {
        listener(for: word).add(BellListener.Ear(hear: hear, end: {}))
    }

    private func listener(for word: Bell.Word) -> BellListener {
        listeners.withLock { listeners in
            if let listener = listeners[word] { return listener }
            let listener = BellListener(bell, word)
            listeners[word] = listener
            return listener
        }
    }
}

/// How to open a store.
package struct StoreOptions: Sendable {
    /// What survives a power cut; `full` by default.
    package var durability: Durability
    /// Whether a file that is not there is made; by default it is.
    package var createsFile: Bool
    /// Whether an older file is migrated; by default it is.
    package var migrates: Bool
    /// The clocks to go by.
    package var clock: StoreClock
    /// The longest write-ahead log, in pages of 4 KiB, before a checkpoint; 1,000 by default.
    package var checkpointPages: Int
    /// Whether checkpoints are guarded against the WAL-reset bug; nil (the default) decides by SQLite's version. Only a
    /// test that shows the bug sets it.
    package var guardsCheckpoints: Bool?

    /// Makes options.
    package init(
        durability: Durability = .full, createsFile: Bool = true, migrates: Bool = true, clock: StoreClock = .system,
        checkpointPages: Int = 1_000, guardsCheckpoints: Bool? = nil
    ) {
        self.durability = durability
        self.createsFile = createsFile
        self.migrates = migrates
        self.clock = clock
        self.checkpointPages = checkpointPages
        self.guardsCheckpoints = guardsCheckpoints
    }
}

/// What survives a power cut.
package enum Durability: String, Sendable, CaseIterable {
    /// Every acknowledged change (`synchronous=FULL`: each commit waits for the disk). The default.
    case full
    /// Everything but perhaps the last moments (`synchronous=NORMAL`). Survives every crash of processes all the same.
    case normal
}
