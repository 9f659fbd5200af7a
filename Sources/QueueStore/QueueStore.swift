import CPlatform
import Foundation
import GRDB
import JobModel
import Synchronization

/// The queue's database: one file, shared by any number of processes.
///
/// Two rules. *Every change goes through ``write(_:)``*, which groups commits on one thread: a change is durable when
/// the call returns, and not before. *Reads run beside it*, on snapshots: what they return was true a moment ago, so a
/// change never relies on an earlier read but looks again inside its own transaction.
public final class QueueStore: Sendable {
    /// The database's file, absolute.
    public let path: String
    /// The bells of this database.
    public let bell: Bell
    /// The lock file of this database.
    public let locks: LockFile
    /// The clocks it goes by.
    public let clock: StoreClock
    /// What survives a power cut.
    public let durability: Durability

    let pool: DatabasePool
    let configuration: Configuration
    private let writer: Writer
    private let listeners = Mutex<[Bell.Word: BellListener]>([:])
    private let isClosed = Mutex(false)
    /// The latest change of memories when this process last compacted them.
    let compactedTo = Mutex<Int64>(0)

    /// Opens the database of a file, making and migrating it as the options say.
    /// - Throws: `StoreError`.
    public init(path: String, options: StoreOptions = StoreOptions()) throws {
        _ = Self.configuresSQLite
        let path = try Self.absolute(path)
        self.path = path
        clock = options.clock
        durability = options.durability
        configuration = DatabaseFile.configuration(durability: options.durability)
        do {
            if try PrivateFile.inspect(path) {
                try Self.retryingBusy { try DatabaseFile.refuseForeign(path) }
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
            let connections = try WriterConnections(pool: pool, configuration: configuration, path: path, options: options)
            writer = Writer(connections, path: path) { [bell] work, results in
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
    public func close() {
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
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw error.asStoreError(path: path)
        }
    }

    /// Yields at once, after every ring of that bell, and at least once a second. Rings that come while the consumer is busy
    /// are one. Ends with the store.
    public func changes(of word: Bell.Word) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let listener = listener(for: word)
        let id = listener.add(BellListener.Ear(hear: { continuation.yield() }, end: { continuation.finish() }))
        continuation.onTermination = { _ in listener.remove(id) }
        continuation.yield()
        return stream
    }

    /// Calls `hear`, on the bell's own thread, after every ring and at least once a second, until the store closes. It must
    /// return at once. The shortest way from another process's commit.
    public func onChange(of word: Bell.Word, _ hear: @escaping @Sendable () -> Void) {
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
