import AgentQueueModel
import Synchronization

/// The queue's database: one file, shared by any number of processes.
///
/// Two rules. *Every change goes through ``write(_:)``*, which groups commits on one thread: a change is durable when
/// the call returns, and not before. *Reads run beside it*, on snapshots: what they return was true a moment ago, so a
/// change never relies on an earlier read but looks again inside its own transaction.
package final class QueueStore: Sendable {
    /// The clocks it goes by.
    package let clock: StoreClock
    /// What survives a power cut.
    package let durability: Durability
    let engine: SQLiteEngine

    private let writer: Writer
    private let listeners = Mutex<[Bell.Word: BellListener]>([:])
    private let isClosed = Mutex(false)
    /// The latest change of memories when this process last compacted them.
    let compactedTo = Mutex<Int64>(0)

    /// The database's file, absolute.
    package var path: String { engine.path }
    /// The bells of this database.
    package var bell: Bell { engine.bell }
    /// The lock file of this database.
    package var locks: LockFile { engine.locks }

    /// Opens the database of a file, making and migrating it as the options say.
    /// - Throws: `StoreError`.
    package init(path: String, options: StoreOptions = StoreOptions()) throws {
        clock = options.clock
        durability = options.durability
        let (engine, commits) = try SQLiteEngine.open(path, options)
        self.engine = engine
        writer = Writer(commits, path: engine.path) { [bell = engine.bell] work, results in
            if work { bell.ring(.work) }
            if results { bell.ring(.done) }
        }
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
        engine.close()
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
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value { try engine.read(body) }

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
