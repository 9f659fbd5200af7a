import AgentQueueModel
import AgentQueueSettings

/// Calls models directly, without a queue, for a program that wants many answers now and stores none.
///
/// ```swift
/// let client = ModelClient(queue)
/// let outcomes = await client.call(requests, concurrency: 5)
/// try await client.shutdown()
/// ```
///
/// Nothing is recorded and nothing is retried. A call that must not be lost, or paid for twice, belongs in a ``JobQueue``.
public struct ModelClient: Sendable {
    private let set: ProviderSet
    private let timeout: Int64

    /// Makes a client of a queue's providers, including the program's own. Makes no call.
    public init(_ queue: JobQueue) { self.init(queue.settings, environment: queue.environment, own: queue.own) }

    /// Makes a client of the configured providers. Makes no call.
    /// - Parameter environment: where API keys and programs are looked up.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) {
        set = ProviderSet(settings, environment: environment, own: own)
        timeout = settings.http.requestTimeout.milliseconds
    }

    /// Makes the calls for all requests, at most `concurrency` at a time, and returns their outcomes in the order of the requests. The
    /// failure of one request does not affect the others. Cancelling the task cancels the calls in progress and starts no others.
    /// - Parameters:
    ///   - requests: the requests; each is a call of its own.
    ///   - concurrency: the maximum number of calls in flight, at least 1.
    ///   - timeout: the time limit of each call; nil for `http.request_timeout`.
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

    /// Ends child processes and connections. Call it after the last call.
    public func shutdown() async throws { try await set.shutdown() }
}
