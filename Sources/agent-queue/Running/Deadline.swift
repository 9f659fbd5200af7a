import Settings

/// Ends what takes too long.
enum Deadline {
    /// Runs `body`, cancelling it once the time is over.
    ///
    /// - Parameters:
    ///   - timeout: nil sets no bound.
    ///   - expired: makes the error to throw, from the time as people write it.
    static func run(
        _ timeout: Duration?, _ body: @escaping @Sendable () async throws -> Void,
        expired: @escaping @Sendable (String) -> CommandFailure
    ) async throws {
        guard let timeout else { return try await body() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: timeout)
                throw expired(DurationText.format(timeout))
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
