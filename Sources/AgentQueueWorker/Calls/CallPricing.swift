import AgentQueueModel
import AgentQueueStore

/// The prices of calls, and the reports of calls to limits, circuit breakers and budgets.
struct CallPricing: Sendable {
    let prices: ModelPrices
    /// The share of the price that the provider's batch API usually charges; nil for calls at the full price.
    var batchShare: Double?

    /// The cost in US dollars, as the provider reports it or by the price of its tokens; nil if it is unknown.
    func cost(of usage: Usage, said: Double?, target: Target) -> Double? {
        if let said { return said }
        guard let price = prices.price(of: target), let share = share(of: price) else { return nil }
        return price.cost(of: usage) * share
    }

    /// The share of a price that is charged; nil if it is unknown.
    private func share(of price: ModelPrice) -> Double? {
        guard let batchShare, price != .free else { return 1 }
        return price.batchShare(usual: batchShare)
    }

    /// The answer with estimated usage, if its tokens have a price and the provider does not count them: one token for four bytes, as in
    /// English text. Without an estimate, a budget would never be reached.
    /// - Parameter bytes: the size of the request.
    func counted(_ reply: ModelReply, target: Target, bytes: Int) -> ModelReply {
        guard reply.usage == Usage(), reply.cost == nil, let price = prices.price(of: target), price != .free else { return reply }
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
    /// - Parameter worst: the highest possible cost at the full price, if the provider may have charged for an answer that never arrived; nil
    ///   if it is unknown.
    func report(_ failure: ModelFailure, target: Target, worst: Double? = 0) -> CallReport {
        let isUncharged = failure.calls == 0 && failure.usage == Usage() && failure.cost == nil
        return CallReport(
            target: target, usage: failure.usage,
            cost: isUncharged ? 0 : cost(of: failure.usage, said: failure.cost, target: target), calls: failure.calls,
            failure: failure.failure, retryAfter: failure.retryAfter, scope: failure.scope, limits: failure.limits,
            isMaybePaid: failure.isMaybePaid, maybeCost: failure.isMaybePaid ? maybeCost(worst, target) : 0,
            partialText: failure.partialText, wasSent: failure.wasSent)
    }

    private func maybeCost(_ worst: Double?, _ target: Target) -> Double? {
        guard let worst, batchShare != nil, let price = prices.price(of: target) else { return worst }
        return share(of: price).map { worst * $0 }
    }

    /// The report of a call.
    func report(_ outcome: Outcome, target: Target) -> CallReport {
        switch outcome {
        case .reply(let reply): report(reply, target: target)
        case .failure(let failure): report(failure, target: target)
        }
    }
}
