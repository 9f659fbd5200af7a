import Synchronization

/// What was waited for did not happen in time.
package struct TookTooLong: Error, CustomStringConvertible {
    package var description: String

    /// Says what it was.
    package init(_ description: String) { self.description = description }
}

/// Waits for an event, but not for ever.
/// - Parameter what: the event, for the error: "the call arrives".
/// - Throws: `TookTooLong`, and what `body` throws.
@discardableResult
package func within<Value: Sendable>(
    _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TookTooLong("not within \(limit): \(what)")
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// Waits until a condition holds that no event tells of, by looking every 5 ms.
/// - Throws: `TookTooLong`, and what `condition` throws.
package func until(_ what: String, within limit: Duration = .seconds(30), _ condition: @Sendable () throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw TookTooLong("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Something a test waits for: it opens once, and stays open.
package final class Gate: Sendable {
    private let counter = Counter()

    /// Makes a closed gate.
    package init() {}

    /// Lets everybody through, now and later.
    package func open() { counter.add(1) }

    /// Waits until it is open.
    /// - Throws: `CancellationError`.
    package func wait() async throws { try await counter.wait(atLeast: 1) }
}

/// A count that only grows, and that a test waits for to grow far enough: an event, where others sleep and hope.
package final class Counter: Sendable {
    private struct Waiter {
        var count: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var count = 0
        var nextID = 0
        var waiters: [Int: Waiter] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Begins at 0.
    package init() {}

    /// The count so far.
    package var count: Int { state.withLock { $0.count } }

    /// Counts, and wakes those for whom it is enough.
    package func add(_ amount: Int = 1) {
        let due = state.withLock { state in
            state.count += amount
            let due = state.waiters.filter { $0.value.count <= state.count }
            for id in due.keys { state.waiters[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Waits until the count is `count` or more.
    /// - Throws: `CancellationError`.
    package func wait(atLeast count: Int) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if state.count >= count { return .success(()) }
                    state.waiters[id] = Waiter(count: count, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                guard let waiter = state.waiters.removeValue(forKey: id) else {
                    state.cancelled.insert(id)
                    return nil as Waiter?
                }
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
