import Synchronization

/// An operation that waits for the writer's thread, and the task that waits for it.
protocol PendingWrite: AnyObject, Sendable {
    /// Carries it out. Runs again, from the beginning, if the transaction has to.
    func perform(in transaction: WriteTransaction) throws
    /// The transaction is committed.
    func succeed()
    /// The operation failed, or could not be committed.
    func fail(_ error: StoreError)
}

/// The operation of a task, answered through its continuation.
final class TaskWrite<Value: Sendable>: PendingWrite, @unchecked Sendable {
    // @unchecked because of `value`, which is written by `perform` and read by `succeed`: both are called by the
    // writer's thread alone, one after the other. `Writer.submit` hands the object over under a lock.
    private let operation: @Sendable (WriteTransaction) throws -> Value
    private let continuation: UnsafeContinuation<Value, any Error>
    private var value: Value?

    /// The continuation is resumed exactly once: the writer calls either `succeed` or `fail`, once, for each operation
    /// it has taken, and refuses those that come after its end with `fail`.
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
