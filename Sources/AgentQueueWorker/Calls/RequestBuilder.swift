import AgentQueueModel
import AgentQueueStore

/// Builds requests as they are sent, in calls and in provider batches: the stored request, for the job's current target, with a repair
/// message if the last answer was invalid.
struct RequestBuilder: Sendable {
    let store: QueueStore
    let configuration: WorkerConfiguration

    /// How much of an invalid answer the repair message quotes, in bytes. Quoted text costs input tokens.
    private static let repairBytes = 8 << 10

    /// A request with the schema that its answer must fit, if any.
    typealias CheckedRequest = (request: ModelRequest, schema: JSONSchema?)

    /// The request as it is sent.
    /// - Throws: `ModelFailure` if the stored request is damaged; `StoreError`.
    func request(for job: ClaimedJob) throws -> CheckedRequest {
        var (request, schema) = try Self.stored(job)
        request.target = job.route
        guard job.kind == .generate else { return (request, schema) }
        if let limit = configuration.maxOutputTokens[job.route.description] { request.limitOutput(to: limit) }
        if job.attempt > 1, let schema, let last = try store.claims.lastInvalidReply(of: job.id) {
            let previous = String(decoding: last.partial.utf8.prefix(Self.repairBytes), as: UTF8.self)
            request.appendMessages(StructuredReply(schema).repairMessages(previous: previous, complaint: last.message))
        }
        return (request, schema)
    }

    /// The request as it is stored.
    /// - Throws: `ModelFailure` if it is damaged, or its schema is: an answer could not be checked.
    static func stored(_ job: ClaimedJob) throws(ModelFailure) -> CheckedRequest {
        let request: ModelRequest
        do { request = try ModelRequest(job) } catch { throw ModelFailure.unsent("the stored request is damaged") }
        do {
            return (request, job.kind == .generate ? try request.schema : nil)
        } catch {
            throw ModelFailure.unsent("the schema of the stored request is damaged: \(error)")
        }
    }
}
