import AgentQueueModel
import CAgentQueue
import DequeModule
import Dispatch
import Foundation
import Synchronization

/// The process's only write connection, on its own thread.
///
/// It groups commits: operations that arrive during a commit run together in the next transaction, and each is answered only after the
/// COMMIT. There are no savepoints: an operation that throws ends the transaction, which then starts again without it. (A savepoint per
/// operation costs throughput, and SQLite before 3.50.2 mishandles savepoints rolled back after a cache spill.) So operations may run more
/// than once, and must have no effects outside the transaction.
///
/// If the outcome of a COMMIT is unknown (an I/O error at its end), the transaction is run again. The frames of the failed one are not in
/// the WAL index, so the next commit of any process overwrites them; only a crash before that can bring them back, and then nothing had
/// been acknowledged.
final class Writer: Sendable {
    private struct State {
        var queue: Deque<any PendingWrite> = []
        var isIdle = true
        var isStopping = false
    }

    private let state = Mutex(State())
    /// Wakes the thread when the queue is no longer empty.
    private let wake = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)
    private let path: String

    /// The most operations in one transaction, which must not hold the lock for more than a few milliseconds.
    private static let largestGroup = 512

    /// Called on the writer's thread after each commit: whether workers should look, whether callers waiting for results should, and the
    /// jobs that ended.
    typealias Ring = @Sendable (_ work: Bool, _ results: Bool, _ ends: [JobEnd]) -> Void

    init(_ commits: GroupCommit, path: String, ring: @escaping Ring) {
        self.path = path
        let thread = Thread { [self] in
            run(commits, ring: ring)
            stopped.signal()
        }
        thread.name = "aq-writer"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Runs an operation and returns its value once it is committed.
    /// - Throws: `StoreError`.
    func perform<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            submit(TaskWrite(operation, continuation: continuation))
        }
    }

    private func submit(_ write: any PendingWrite) {
        let (isRefused, mustWake) = state.withLock { state in
            guard !state.isStopping else { return (true, false) }
            state.queue.append(write)
            defer { state.isIdle = false }
            return (false, state.isIdle)
        }
        if isRefused { write.fail(StoreError(.closed, "\(path): the database is closed")) }
        if mustWake { wake.signal() }
    }

    /// Finishes the submitted operations, then ends the thread. Blocks until then.
    func stop() {
        let mustWake = state.withLock { state in
            guard !state.isStopping else { return false }
            state.isStopping = true
            return true
        }
        guard mustWake else { return }
        wake.signal()
        stopped.wait()
    }

    // MARK: The thread

    private func run(_ commits: GroupCommit, ring: Ring) {
        var lastGroup = 0
        while true {
            gather(lastGroup)
            let (group, isStopping) = state.withLock { state -> ([any PendingWrite], Bool) in
                guard state.queue.count > Self.largestGroup else {
                    let group = Array(state.queue)
                    state.queue.removeAll(keepingCapacity: true)
                    if group.isEmpty { state.isIdle = true }
                    return (group, state.isStopping)
                }
                let group = Array(state.queue.prefix(Self.largestGroup))
                state.queue.removeFirst(Self.largestGroup)
                return (group, false)
            }
            lastGroup = group.count
            if group.isEmpty {
                if isStopping { break }
                wake.wait()
                continue
            }
            commits.write(group, ring: ring)
        }
        commits.close()
    }

    /// After a large group, the callers just answered will soon submit again. Waiting for them, for about as long as a commit takes, is
    /// cheaper than committing the first of them alone.
    private func gather(_ lastGroup: Int) {
        guard lastGroup > 2 else { return }
        let limit = platform_monotonic_ns() + 120_000
        while platform_monotonic_ns() < limit {
            let (waiting, isStopping) = state.withLock { ($0.queue.count, $0.isStopping) }
            if waiting * 4 >= lastGroup * 3 || isStopping { return }
            sched_yield()
        }
    }
}

/// An operation queued for the writer's thread, with the task that waits for it.
protocol PendingWrite: AnyObject, Sendable {
    /// Runs the operation. Called again from the beginning if the transaction must be repeated.
    func perform(in transaction: WriteTransaction) throws
    /// Called once the transaction is committed.
    func succeed()
    /// Called if the operation failed or could not be committed.
    func fail(_ error: StoreError)
}

/// A task's operation, answered through its continuation.
final class TaskWrite<Value: Sendable>: PendingWrite, @unchecked Sendable {
    // @unchecked because of `value`, which `perform` writes and `succeed` reads: only the writer's thread calls them, one after the other.
    // `Writer.submit` hands the object over under a lock.
    private let operation: @Sendable (WriteTransaction) throws -> Value
    private let continuation: UnsafeContinuation<Value, any Error>
    private var value: Value?

    /// The continuation is resumed exactly once: the writer calls either `succeed` or `fail` once for each operation that it has accepted,
    /// and refuses operations submitted after `stop` with `fail`.
    init(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value, continuation: UnsafeContinuation<Value, any Error>) {
        self.operation = operation
        self.continuation = continuation
    }

    func perform(in transaction: WriteTransaction) throws { value = try operation(transaction) }

    func succeed() {
        guard let value else { return fail(StoreError(.internal, "an operation was committed without having run")) }
        continuation.resume(returning: value)
    }

    func fail(_ error: StoreError) { continuation.resume(throwing: error) }
}
