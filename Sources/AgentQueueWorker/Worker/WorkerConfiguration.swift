import AgentQueueModel
import AgentQueueStore

/// The settings of a worker. Times are in ms.
package struct WorkerConfiguration: Sendable {
    /// The maximum number of concurrent calls. Default: 5.
    package var concurrency: Int
    /// The queues it serves; nil means all.
    package var queues: Set<String>?
    /// The maximum number of jobs in one claim. Default: 100.
    package var batchSize: Int
    /// How long a lease lasts without a heartbeat. Default: 30 seconds.
    package var lease: Int64
    /// How long running jobs may continue after a shutdown begins. Default: 30 seconds.
    package var shutdownGrace: Int64
    /// The timeout of calls whose job sets none. Default: 10 minutes.
    package var callTimeout: Int64
    /// How long answers are cached; nil disables the cache. Default: 30 minutes.
    package var cacheTimeToLive: Int64?
    /// Waits between attempts.
    package var backoff: Backoff
    /// What calls cost.
    package var prices: ModelPrices
    /// Rate limits, circuit breakers and fallbacks.
    package var policies: CallPolicies
    /// The maximum number of output tokens for jobs that set none, by target.
    package var maxOutputTokens: [String: Int]
    /// How long the answers of single targets are cached, instead of ``cacheTimeToLive``.
    package var cacheTimesToLive: [String: Int64] = [:]
    /// The semantic cache; nil disables it.
    package var semantic: SemanticPolicy?
    /// The settings of memories; nil refuses jobs that use memories.
    package var memory: MemoryConfiguration?
    /// Whether jobs share calls where they can. Default: true.
    package var coalesces = true
    /// How long a shared call waits for more jobs. Default: 10 ms.
    package var linger: Int64 = 10
    /// The settings of provider batches, by provider. Others use the defaults.
    package var batchPolicies: [String: BatchPolicy] = [:]
    /// Why providers of the configuration cannot be called, by name.
    package var unavailable: [String: String] = [:]
    /// The only job that it runs; nil for all jobs of its queues.
    package var only: Int64?
    /// Whether the worker ends when its queues hold no job that is ready, running or due soon.
    package var drains: Bool
    /// How long a drain goes on without any job ending, in ms; nil is as long as it takes.
    package var maxWait: Int64?

    /// Makes a configuration with the defaults of the configuration file.
    package init(
        concurrency: Int = 5, queues: Set<String>? = nil, batchSize: Int = 100, lease: Int64 = 30_000, shutdownGrace: Int64 = 30_000,
        callTimeout: Int64 = 600_000, cacheTimeToLive: Int64? = 1_800_000, backoff: Backoff = Backoff(),
        prices: ModelPrices = [:], policies: CallPolicies = CallPolicies(), maxOutputTokens: [String: Int] = [:],
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

    /// How many calls there may be beyond ``concurrency``, for providers whose jobs wait while others hold every slot with calls that do not
    /// end. None where jobs run one at a time by choice.
    var extraConcurrency: Int { coalesces || concurrency > 1 ? max(1, concurrency / 2) : 0 }

    /// The deadline of a job's call (CLOCK_MONOTONIC, ns), a little later than the provider's own, in case the provider misses it.
    func deadline(of job: ClaimedJob, now: Int64) -> Int64 { now + ((job.timeout ?? callTimeout) + 1_000) * 1_000_000 }

    /// How long a job's answer is cached, in ms; nil if it is not.
    func cacheTimeToLive(of job: ClaimedJob) -> Int64? {
        guard let general = cacheTimeToLive else { return nil }
        // A client may ask for a new answer that is kept.
        guard job.useCache else { return job.native == nil ? nil : job.cacheTimeToLive }
        return job.cacheTimeToLive ?? cacheTimesToLive[job.route.description] ?? general
    }
}
