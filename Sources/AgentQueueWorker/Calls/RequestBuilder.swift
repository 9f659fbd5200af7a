import AgentQueueModel
import AgentQueueStore

/// Makes requests as they are sent, by calls of their own and in batches of a provider: the stored one, to where it goes now, with what
/// the last answer did wrong.
struct RequestBuilder: Sendable {
    let store: QueueStore
    let configuration: WorkerConfiguration

    /// How much of a bad answer the model is shown again, in bytes: it is paid for once more.
    private static let repairBytes = 8 << 10

    /// - Throws: `ModelFailure` where the stored request is damaged; `StoreError`.
    func request(for job: ClaimedJob) throws -> ModelRequest {
        var request: ModelRequest
        do { request = try ModelRequest(job) } catch { throw ModelFailure.unsent("the stored request is damaged") }
        request.target = job.route
        guard job.kind == .generate else { return request }
        if let limit = configuration.maxOutputTokens[job.route.description] { request.limitOutput(to: limit) }
        if job.attempt > 1, let schema = request.schema, let last = try store.claims.lastInvalidReply(of: job.id) {
            let previous = String(decoding: last.partial.utf8.prefix(Self.repairBytes), as: UTF8.self)
            request.appendMessages(StructuredReply(schema).repairMessages(previous: previous, complaint: last.message))
        }
        return request
    }
}
