import AgentQueueModel
import AgentQueueStore

/// What adding jobs would amount to. Each job is counted once: as an existing unique key, a cached answer, a duplicate or a call.
package struct EnqueueForecast {
    package private(set) var jobs = 0
    /// The targets of all jobs.
    package private(set) var targets = TargetCounts()
    /// Jobs that the cache would answer.
    package private(set) var cached = 0
    /// Jobs that equal an earlier one and would share its call.
    package private(set) var repeated = 0
    /// Jobs whose unique key is taken by an existing or an earlier job.
    package private(set) var taken = 0
    /// All other jobs.
    package private(set) var calls = 0
    /// Calls to targets without a price.
    package private(set) var unpriced = 0
    /// Maximum cost of the other calls in US dollars.
    package private(set) var cost = 0.0
    private var digests = DigestSet()
    /// Stored as hashes to save memory; collisions are negligible for a file's worth of keys.
    private var keys: Set<Int> = []

    package init() {}

    /// - Parameter cost: The maximum cost of its call; nil if the price is unknown.
    package mutating func add(_ job: NewJob, _ preview: EnqueuePreview, cost: Double?) {
        jobs += 1
        targets.add(job.target)
        if let key = job.uniqueKey, preview == .taken || !keys.insert(ExactText(key).hashValue).inserted {
            taken += 1
        } else if preview == .cached {
            cached += 1
        } else if job.useCache, !digests.insert(job.digest) {
            repeated += 1
        } else {
            calls += 1
            if let cost { self.cost += cost } else { unpriced += 1 }
        }
    }

    /// The maximum cost of the calls whose price is known; nil if there are calls and the price of none is known.
    package var knownCost: Double? { Money.sum(cost, calls: calls, unpriced: unpriced) }

    /// As `--json` prints it.
    package var json: JSONValue {
        .object([
            .init("jobs", .integer(Int64(jobs))), .init("cached", .integer(Int64(cached))), .init("repeated", .integer(Int64(repeated))),
            .init("unique_key_taken", .integer(Int64(taken))), .init("to_call", .integer(Int64(calls))),
            .init("max_cost_usd", Money.json(knownCost)), .init("unpriced", .integer(Int64(unpriced))), .init("targets", targets.json),
        ])
    }

}

/// A set of digests, stored as 8 bytes each. Among a million digests, the chance of any collision is one in forty million.
package struct DigestSet {
    private var prefixes: Set<UInt64> = []

    package init() {}

    /// Returns false if it was in the set already.
    package mutating func insert(_ digest: [UInt8]) -> Bool {
        prefixes.insert(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }).inserted
    }
}
