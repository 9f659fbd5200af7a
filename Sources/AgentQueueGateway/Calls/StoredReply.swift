import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

extension ModelReply {
    /// The reply of a stored result.
    init(_ result: JobResult) {
        let stored = result.reply
        var usage = result.usage
        usage.cacheReadTokens = stored["cache_read_tokens"]?.int ?? 0
        usage.cacheWriteTokens = stored["cache_write_tokens"]?.int ?? 0
        self.init(
            text: stored["text"]?.string,
            embeddings: stored["embeddings"]?.array.map { $0.map { ($0.array ?? []).map { Float($0.number ?? .nan) } } },
            finishReason: stored["finish_reason"]?.string, usage: usage, model: stored["model"]?.string,
            requestID: stored["request_id"]?.string, toolCalls: stored["tool_calls"], reasoning: stored["reasoning"]?.string,
            cost: result.cost)
        native = stored[NativeReply.member].flatMap { NativeReply(stored: $0) }
    }
}

extension JobOutcome {
    /// What the client of an ended job is answered.
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
        throw GatewayError(error.failure, message: error.message, answer: error.answer)
    }

    /// When the answer was made, in seconds since 1970.
    var madeAt: Int64 { (finalizedAt ?? createdAt) / 1_000 }
}
