import AgentQueueModel
import AgentQueueStore

/// What one call for a job came to.
struct Attempt: Sendable {
    /// The answer, checked, or why there is none.
    var outcome: Outcome
    /// From the call's start to its end, in ms.
    var latency: Int64
    /// Whether the answer came, and broke the schema that it was to keep: then the model is told, and no other is asked.
    var isMismatch = false
}

extension Attempt {
    /// As the attempt of a job that was never tried without company: whose fault the failure is has yet to be found.
    var untried: Attempt {
        guard case .failure(var failure) = outcome else { return self }
        failure.failure = .retryable
        var attempt = self
        attempt.outcome = .failure(failure)
        return attempt
    }
}

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

/// Who may be asked in place of a target that failed.
enum Fallback {
    /// The targets of a route behind the one that failed, in order; none where the failure is the request's, or where waiting
    /// for the target is shorter than the route allows.
    /// - Parameters:
    ///   - failed: the target that was asked.
    ///   - wait: how long the job would have to wait for it, in ms.
    static func candidates(of route: Route, after failed: Target, _ failure: FailureClass, wait: Int64) -> [Target] {
        guard failure.allowsFallback, let place = route.targets.firstIndex(of: failed) else { return [] }
        switch failure {
        case .rateLimited: if wait <= route.fallbackAfter ?? .max { return [] }
        case .overloaded: if let patience = route.fallbackAfter, wait <= patience { return [] }
        default: break
        }
        return Array(route.targets[(place + 1)...])
    }
}
