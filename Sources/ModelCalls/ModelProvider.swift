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
    /// - Parameter requests: one, or several of a batchable kind.
    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome]

    /// Asks a model for something tiny, for real.
    /// - Parameters:
    ///   - model: nil lets the provider choose one that it knows.
    ///   - timeout: how long all of it may take, in ms.
    func check(model: String?, timeout: Int64) async -> ProviderCheck

    /// Ends what it keeps running. No call comes after it.
    func shutdown() async
}

extension ModelProvider {
    /// Keeps nothing running, unless it says otherwise.
    public func shutdown() async {}
}
