import AgentQueueModel
import AgentQueueStore

/// The prices of calls, and the reports of calls to limits, circuit breakers and budgets.
struct CallPricing: Sendable {
    /// The prices of tokens, by target.
    let prices: [String: ModelPrice]
    /// The fraction of the usual price that is charged.
    var share = 1.0

    /// The cost in US dollars, as the provider reports it or by the price of its tokens.
    func cost(of usage: Usage, said: Double?, target: Target) -> Double {
        said ?? (prices[target.description]?.cost(of: usage) ?? 0) * share
    }

    /// The answer with estimated usage, if its tokens have a price and the provider does not count them: one token for four bytes, as in
    /// English text. Without an estimate, a budget would never be reached.
    /// - Parameter bytes: the size of the request.
    func counted(_ reply: ModelReply, target: Target, bytes: Int) -> ModelReply {
        guard reply.usage == Usage(), reply.cost == nil, prices[target.description] != nil else { return reply }
        var reply = reply
        reply.usage = Usage(inputTokens: bytes / 4 + 1, outputTokens: (reply.text?.utf8.count ?? 0) / 4)
        return reply
    }

    /// The report of an answered call.
    func report(_ reply: ModelReply, target: Target) -> CallReport {
        CallReport(
            target: target, usage: reply.usage, cost: cost(of: reply.usage, said: reply.cost, target: target), calls: max(1, reply.calls),
            limits: reply.limits)
    }

    /// The report of a failed call.
    /// - Parameter worst: the highest possible cost at the usual price, if the provider may have charged for an answer that never arrived.
    func report(_ failure: ModelFailure, target: Target, worst: Double = 0) -> CallReport {
        CallReport(
            target: target, usage: failure.usage, cost: cost(of: failure.usage, said: failure.cost, target: target), calls: failure.calls,
            failure: failure.failure, retryAfter: failure.retryAfter, scope: failure.scope, limits: failure.limits,
            isMaybePaid: failure.isMaybePaid, maybeCost: failure.isMaybePaid ? worst * share : 0, partialText: failure.partialText,
            wasSent: failure.wasSent)
    }

    /// The report of a call.
    func report(_ outcome: Outcome, target: Target) -> CallReport {
        switch outcome {
        case .reply(let reply): report(reply, target: target)
        case .failure(let failure): report(failure, target: target)
        }
    }
}
