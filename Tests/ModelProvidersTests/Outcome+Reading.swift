import ModelCalls

extension Outcome {
    /// The reply, if it is one.
    var reply: ModelReply? { if case .reply(let reply) = self { reply } else { nil } }
    /// The failure, if it is one.
    var failure: ModelFailure? { if case .failure(let failure) = self { failure } else { nil } }
}
