import JobModel

/// Answers requests: the seam between the queue and the world.
public protocol ModelProvider: Sendable {
    /// Its name in the configuration.
    var name: String { get }
    /// Who answers, for the cache key: the provider's kind and base URL.
    var identity: String { get }
    /// What it can do.
    var capabilities: ProviderCapabilities { get }

    /// Answers requests of one kind and target, with one call where they can share one.
    ///
    /// Returns an outcome per request, in their order. Returns promptly with `.cancelled` failures when the task is
    /// cancelled, having aborted the call. Retries nothing but a connection that failed before any byte was sent.
    /// - Parameters:
    ///   - requests: one, or several of a batchable kind.
    ///   - timeout: how long the call may take, in ms.
    ///   - idempotencyKey: the same for the same attempt of the same job; for providers that honour one.
    func respond(to requests: [ModelRequest], timeout: Int64, idempotencyKey: String) async -> [Outcome]
}
