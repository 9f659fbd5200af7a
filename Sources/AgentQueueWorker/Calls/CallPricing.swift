import AgentQueueModel
import AgentQueueStore

/// What calls cost, and how they are reported to the limits, the breakers and the budgets.
struct CallPricing: Sendable {
    /// What tokens cost, by target.
    let prices: [String: ModelPrice]
    /// What is paid, as a share of the usual price.
    var share = 1.0

    /// In US dollars: the provider's word, or what its tokens cost.
    func cost(of usage: Usage, said: Double?, target: Target) -> Double {
        said ?? (prices[target.description]?.cost(of: usage) ?? 0) * share
    }

    /// An answer whose provider does not count its tokens, where they have a price: a quarter of the bytes, as in English text. A
    /// limit on money would else never be reached.
    /// - Parameter bytes: of what was asked.
    func counted(_ reply: ModelReply, target: Target, bytes: Int) -> ModelReply {
        guard reply.usage == Usage(), reply.cost == nil, prices[target.description] != nil else { return reply }
        var reply = reply
        reply.usage = Usage(inputTokens: bytes / 4 + 1, outputTokens: (reply.text?.utf8.count ?? 0) / 4)
        return reply
    }

    /// A call that was answered.
    func report(_ reply: ModelReply, target: Target) -> CallReport {
        CallReport(
            target: target, usage: reply.usage, cost: cost(of: reply.usage, said: reply.cost, target: target), calls: max(1, reply.calls),
            limits: reply.limits)
    }

    /// A call that failed.
    /// - Parameter worst: what it may have cost at the usual price, where an answer may have been charged for that never arrived.
    func report(_ failure: ModelFailure, target: Target, worst: Double = 0) -> CallReport {
        CallReport(
            target: target, usage: failure.usage, cost: cost(of: failure.usage, said: failure.cost, target: target), calls: failure.calls,
            failure: failure.failure, retryAfter: failure.retryAfter, scope: failure.scope, limits: failure.limits,
            isMaybePaid: failure.isMaybePaid, maybeCost: failure.isMaybePaid ? worst * share : 0, partialText: failure.partialText,
            wasSent: failure.wasSent)
    }

    /// A call that was made on the way to an answer, or for none.
    func report(_ outcome: Outcome, target: Target) -> CallReport {
        switch outcome {
        case .reply(let reply): report(reply, target: target)
        case .failure(let failure): report(failure, target: target)
        }
    }
}
