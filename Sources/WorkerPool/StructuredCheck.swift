import JobModel
import ModelCalls

/// An answer held against the schema that its request names.
struct StructuredCheck {
    /// The answer, reduced to its JSON, or a failure that says what is wrong with it.
    let outcome: Outcome
    /// Whether it broke the schema.
    let isMismatch: Bool

    /// Nil where the request names no schema, or the answer is a call of tools.
    init?(of reply: ModelReply, to request: ModelRequest) {
        guard request.kind == .generate, let schema = request.schema, reply.toolCalls == nil else { return nil }
        let text = reply.text ?? ""
        switch StructuredReply(schema).judge(text) {
        case .valid(_, let json):
            var reply = reply
            reply.text = json
            outcome = .reply(reply)
            isMismatch = false
        case .invalid(let sentence):
            outcome = .failure(
                ModelFailure(
                    .invalidReply, sentence, requestID: reply.requestID, usage: reply.usage, cost: reply.cost, calls: max(1, reply.calls),
                    partialText: text, limits: reply.limits))
            isMismatch = true
        }
    }
}
