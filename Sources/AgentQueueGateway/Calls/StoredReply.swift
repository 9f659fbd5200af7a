import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

extension JobOutcome {
    /// The answer for the client of a job that has ended.
    /// - Throws: `GatewayError` if it failed.
    func answer() throws(GatewayError) -> Answer {
        if state == .completed, let result { return Answer(ModelReply(result)) }
        guard let error else {
            throw state == .cancelled
                ? GatewayError(.cancelled, "The job was cancelled.") : GatewayError(.upstream, "The job ended without an answer.")
        }
        if let refusal = Answer(error.failure, message: error.message, partialText: error.partialText, answer: error.answer) {
            return refusal
        }
        // A budget refused it before any call.
        if error.failure == .quotaExhausted, error.attempt == 0 { throw GatewayError(.budgetSpent, error.message) }
        throw GatewayError(error.failure, message: error.message, answer: error.answer)
    }

    /// When the answer was made, in seconds since 1970.
    var madeAt: Int64 { (finalizedAt ?? createdAt) / 1_000 }
}
