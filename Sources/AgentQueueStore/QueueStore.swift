import AgentQueueModel
import Synchronization

/// The queue's database: one file, shared by any number of processes.
///
/// There are two rules. *Every change goes through ``write(_:)``*, which groups commits on one thread: a change is durable when the call
/// returns, and not before. *Reads run concurrently*, on snapshots: their result may be out of date by the time it is used, so a change
/// never relies on an earlier read but checks again inside its own transaction.
package final class QueueStore: Sendable {
    package let clock: StoreClock
    package let durability: Durability
    let engine: SQLiteEngine

    private let writer: Writer
    private let listeners = Mutex<[Bell.Word: BellListener]>([:])
    private let endListeners: LockedValue<[@Sendable ([JobEnd]) -> Void]>
    private let isClosed = Mutex(false)
    /// The number of the latest memory change when this process last compacted memories.
    let compactedTo = Mutex<Int64>(0)
    /// The gateway's calls of which it is not written down yet that a client has received their end.
    let receivedCalls = ReceivedCalls()

    /// The absolute path of the database file.
    package var path: String { engine.path }
    package var bell: Bell { engine.bell }
    package var locks: LockFile { engine.locks }
    var health: WriteHealth { engine.health }

    /// How long the current write has taken so far, in ms, including its wait for the write lock; nil if there is none.
    package var writeTime: Int64? { health.writesSince.map { clock.boot() - $0 } }

    /// Opens the database at `path`, creating and migrating it as the options allow.
    /// - Throws: `StoreError`.
    package init(path: String, options: StoreOptions = StoreOptions()) throws {
        clock = options.clock
        durability = options.durability
        let (engine, commits) = try SQLiteEngine.open(path, options)
        self.engine = engine
        let endListeners = LockedValue<[@Sendable ([JobEnd]) -> Void]>([])
        self.endListeners = endListeners
        writer = Writer(commits, path: engine.path) { [bell = engine.bell, endListeners] work, results, ends in
            if work { bell.ring(.work) }
            if results { bell.ring(.done) }
            if !ends.isEmpty { for hear in endListeners.value { hear(ends) } }
        }
    }

    /// Finishes the writes already submitted, then closes. The store cannot be used afterwards.
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

    /// Runs a change in the writer's next transaction and returns its value once that is committed. The operation may run more than once,
    /// so it must have no effects outside the transaction.
    /// - Throws: `StoreError`.
    func write<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try engine.place.require()
        let value = try await writer.perform(operation)
        engine.hasWritten.store(true, ordering: .relaxed)
        return value
    }

    /// Reads from a snapshot.
    /// - Throws: `StoreError`.
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value { try engine.read(body) }

    /// Yields immediately, after every ring of the bell, and at least once a second. Rings that arrive while the consumer is busy are
    /// merged into one. The stream finishes when the store closes.
    package func changes(of word: Bell.Word) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let listener = listener(for: word)
        let id = listener.add(BellListener.Ear(hear: { continuation.yield() }, end: { continuation.finish() }))
        continuation.onTermination = { _ in listener.remove(id) }
        continuation.yield()
        return stream
    }

    /// Calls `hear` on the bell's own thread after every ring, and at least once a second, until the store closes. `hear` must return
    /// immediately. This is the fastest way to react to another process's commit.
    package func onChange(of word: Bell.Word, _ hear: @escaping @Sendable () -> Void) {
        listener(for: word).add(BellListener.Ear(hear: hear, end: {}))
    }

    /// Calls `hear` with the jobs that each commit of this process ended, on the writer's thread and before those who asked for the commit
    /// go on, until the store closes. `hear` must return immediately.
    package func onEnds(_ hear: @escaping @Sendable ([JobEnd]) -> Void) {
        endListeners.withLock { $0.append(hear) }
    }

    private func listener(for word: Bell.Word) -> BellListener {
        listeners.withLock { listeners in
            if let listener = listeners[word] { return listener }
            let listener = BellListener(bell, word) { [engine] in engine.place.look() }
            listeners[word] = listener
            return listener
        }
    }
}

/// Options for opening a store.
package struct StoreOptions: Sendable {
    /// What survives a power failure; `full` by default.
    package var durability: Durability
    /// Whether to create a missing file; true by default.
    package var createsFile: Bool
    /// Whether to migrate a file with an older schema; true by default.
    package var migrates: Bool
    package var clock: StoreClock
    /// The length of the write-ahead log, in pages of 4 KiB, at which a checkpoint runs; 1,000 by default.
    package var checkpointPages: Int
    /// The longest write-ahead log, in bytes, that this process leaves beside the file if it is the last to close it; 0 by default. A
    /// checkpoint waits for the disk, and a command that adds a single job is not to wait for it every time. The process that makes the
    /// file leaves none.
    package var longestLogLeft: Int64 = 0
    /// Whether the file is only read; nil (the default) decides by whether it may be written. Set only by tests.
    package var isReadOnly: Bool?
    /// Whether checkpoints are guarded against SQLite's WAL-reset bug; nil (the default) decides by SQLite's version. Set only by a test
    /// that reproduces the bug.
    package var guardsCheckpoints: Bool?

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
