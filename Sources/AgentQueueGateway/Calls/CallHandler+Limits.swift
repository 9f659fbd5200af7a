import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// The limits of keys, as known when a request comes in. The claim counts exactly.
extension CallHandler {
    /// Refuses at once a request that the key's budget cannot pay for.
    /// - Throws: `GatewayError`, `StoreError`.
    func checkBudget(of caller: Caller, _ job: NewJob) throws {
        guard caller.hasLimits, let use = try store.keys.use(of: caller.keyID) else { return }
        switch use.refusal(of: job, policies, name: caller.name) {
        case nil: return
        case .spent(let sentence): throw GatewayError(.budgetSpent, sentence)
        case .unpriced:
            throw Self.unpriced(job.target, caller)
        }
    }

    /// Why a key with a budget may not ask for a target.
    static func unpriced(_ target: Target, _ caller: Caller) -> GatewayError {
        GatewayError(
            .forbidden,
            "The key \(caller.name) has a budget, and what \(target) costs is not known: set models.\(target).price, 0 if it is free.")
    }

    /// What is left of the limits of a request's key.
    func limitHeaders(_ head: RequestHead) throws -> [(name: String, value: String)] {
        guard let use = try store.keys.use(of: head.caller.keyID) else { return [] }
        func level(_ level: KeyUse.Level?) -> RateLimitHeaders.Level? {
            level.map { RateLimitHeaders.Level(limit: $0.limit, remaining: $0.remaining, fullAt: $0.fullAt) }
        }
        return RateLimitHeaders(requests: level(use.requests), tokens: level(use.tokens)).pairs(head.flavour, now: store.clock.wall())
    }
}
