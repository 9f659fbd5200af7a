/// What was waited for did not happen in time.
public struct TookTooLong: Error, CustomStringConvertible {
    public var description: String

    /// Says what it was.
    public init(_ description: String) { self.description = description }
}

/// Waits for an event, but not for ever.
/// - Parameter what: the event, for the error: "the call arrives".
/// - Throws: `TookTooLong`, and what `body` throws.
@discardableResult
public func within<Value: Sendable>(
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
public func until(_ what: String, within limit: Duration = .seconds(30), _ condition: @Sendable () throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw TookTooLong("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
