import AgentQueueModel
import AgentQueueStore

/// How a worker works. Times are in ms.
package struct WorkerConfiguration: Sendable {
    /// Calls in flight at once in this process; 5 by default.
    package var concurrency: Int
    /// The queues it serves; nil is all.
    package var queues: Set<String>?
    /// The most jobs of one claim; 100 by default.
    package var batchSize: Int
    /// How long a claim's right lasts without a heartbeat; 30 s by default.
    package var lease: Int64
    /// How long running jobs may go on after the worker is asked to stop; 30 s by default.
    package var shutdownGrace: Int64
    /// How long a call may take, where its job says nothing; 10 min by default.
    package var callTimeout: Int64
    /// How long answers are cached; nil caches none. 30 min by default.
    package var cacheTimeToLive: Int64?
    /// Waits between attempts.
    package var backoff: Backoff
    /// What tokens cost, by target.
    package var prices: [String: ModelPrice]
    /// What providers allow, when one is left alone, and who stands in for whom.
    package var policies: CallPolicies
    /// The most tokens of an answer where a job says nothing, by target; others are asked without.
    package var maxOutputTokens: [String: Int]
    /// How long answers of a target are cached, where that is not ``cacheTimeToLive``, in ms.
    package var cacheTimesToLive: [String: Int64] = [:]
    /// Where near prompts are looked for, and what embeds them; nil where they are not.
    package var semantic: SemanticPolicy?
    /// How it remembers and recalls; nil where jobs that ask for it are refused.
    package var memory: MemoryConfiguration?
    /// Whether jobs that can share a call do; true by default.
    package var coalesces = true
    /// How long a call that jobs can share waits for company; 10 ms by default.
    package var linger: Int64 = 10
    /// How the batches of providers that take them are looked after, by provider's name; the defaults hold for others.
    package var batchPolicies: [String: BatchPolicy] = [:]
    /// Whether it ends once its queues hold nothing that is ready, running or about to be.
    package var drains: Bool

    /// The defaults of the configuration file.
    package init(
        concurrency: Int = 5, queues: Set<String>? = nil, batchSize: Int = 100, lease: Int64 = 30_000, shutdownGrace: Int64 = 30_000,
        callTimeout: Int64 = 600_000, cacheTimeToLive: Int64? = 1_800_000, backoff: Backoff = Backoff(),
        prices: [String: ModelPrice] = [:], policies: CallPolicies = CallPolicies(), maxOutputTokens: [String: Int] = [:],
        drains: Bool = false
    ) {
        self.concurrency = concurrency
        self.queues = queues
        self.batchSize = batchSize
        self.lease = lease
        self.shutdownGrace = shutdownGrace
        self.callTimeout = callTimeout
        self.cacheTimeToLive = cacheTimeToLive
        self.backoff = backoff
        self.prices = prices
        self.policies = policies
        self.maxOutputTokens = maxOutputTokens
        self.drains = drains
    }

    /// When a job's call should have ended (CLOCK_MONOTONIC, ns): a little after the provider's own deadline, for one that does
    /// not keep it.
    func deadline(of job: ClaimedJob, now: Int64) -> Int64 { now + ((job.timeout ?? callTimeout) + 1_000) * 1_000_000 }

    /// How long a job's answer may serve from the cache, in ms; nil where it is not kept.
    func cacheTimeToLive(of job: ClaimedJob) -> Int64? {
        guard job.useCache, let general = cacheTimeToLive else { return nil }
        return job.cacheTimeToLive ?? cacheTimesToLive[job.route.description] ?? general
    }
}
