import AgentQueueModel
import AgentQueueSettings

/// Calls models at once, without a queue: for a program that wants many answers now and keeps none.
///
/// ```swift
/// let client = ModelClient(queue)
/// let outcomes = await client.call(requests, concurrency: 5)
/// try await client.shutdown()
/// ```
///
/// Nothing is on record and nothing is retried: a call that must not be lost, or paid for twice, belongs in a ``JobQueue``.
public struct ModelClient: Sendable {
    private let set: ProviderSet
    private let timeout: Int64

    /// Makes a client of a queue's providers, the program's own among them; calls nothing.
    public init(_ queue: JobQueue) { self.init(queue.settings, environment: queue.environment, own: queue.own) }

    /// Makes a client of the configured providers; calls nothing.
    /// - Parameter environment: where API keys and programs are looked up.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) {
        set = ProviderSet(settings, environment: environment, own: own)
        timeout = settings.http.requestTimeout.milliseconds
    }

    /// Calls for all requests, `concurrency` at a time, and returns their outcomes in the requests' order. A failure is its own
    /// request's alone. Cancelling the task cancels the calls under way and begins no other.
    /// - Parameters:
    ///   - requests: one, or several of a kind that can share a call.
    ///   - concurrency: calls in flight at once, at least 1.
    ///   - timeout: how long each may take, nil is `http.request_timeout`.
    public func call(_ requests: [ModelRequest], concurrency: Int = 5, timeout: Duration? = nil) async -> [Outcome] {
        let providers = Dictionary(set.providers.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let options = CallOptions(timeout: timeout?.milliseconds ?? self.timeout)
        let notStarted = Outcome.failure(ModelFailure(.cancelled, "not begun before the task was cancelled"))
        var outcomes = [Outcome](repeating: notStarted, count: requests.count)
        await withTaskGroup(of: (Int, Outcome).self) { group in
            var next = 0
            var running = 0
            while true {
                while running < max(1, concurrency), next < requests.count, !Task.isCancelled {
                    let (index, request) = (next, requests[next])
                    group.addTask { (index, await answer(request, providers[request.target.provider], options)) }
                    next += 1
                    running += 1
                }
                guard let (index, outcome) = await group.next() else { break }
                outcomes[index] = outcome
                running -= 1
            }
        }
        return outcomes
    }

    private func answer(_ request: ModelRequest, _ provider: (any ModelProvider)?, _ options: CallOptions) async -> Outcome {
        guard let provider else {
            let reason = set.unavailable[request.target.provider] ?? "it is not configured"
            return .failure(ModelFailure(.permanent, "provider \(request.target.provider) is not available: \(reason)"))
        }
        return await provider.respond(to: [request], options).first
            ?? .failure(ModelFailure(.invalidReply, "the provider returned no outcome"))
    }

    /// Ends programs and connections, after the last call.
    public func shutdown() async throws { try await set.shutdown() }
}
