import JobModel
import QueueStore
import Settings

extension Settings {
    /// What the call of a job may cost at worst, in US dollars, as it would be set aside; through the provider's batch API half of that.
    /// Nil where the price of its target is not known. Made once for many jobs.
    public func worstCosts() -> @Sendable (_ job: NewJob) -> Double? {
        let estimate = callPolicies(available: []).estimate
        let priced = Set(prices.keys)
        return { job in
            guard priced.contains(job.target.description) else { return nil }
            return estimate(job.target, job.kind, job.body).worstCost * (job.usesBatchAPI ? batchPriceShare : 1)
        }
    }
}

/// What an answer of a batch costs, as a share of the usual price: the same at OpenAI and Anthropic.
private let batchPriceShare = 0.5
