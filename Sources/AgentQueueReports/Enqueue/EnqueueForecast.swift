import AgentQueueModel
import AgentQueueStore

/// What adding jobs would come to, gathered job by job. Each is counted as one thing: a key that is taken, an answer from the cache, a
/// repeat of a job before it, or a call.
package struct EnqueueForecast {
    /// All of them.
    package private(set) var jobs = 0
    /// Those that the cache would answer.
    package private(set) var cached = 0
    /// Those that are to be called for, and equal one before them: one call answers both.
    package private(set) var repeated = 0
    /// Those whose unique key a job has, or one before them.
    package private(set) var taken = 0
    /// The rest.
    package private(set) var calls = 0
    /// Those of the rest whose target has no known price.
    package private(set) var unpriced = 0
    /// What the others of the rest may cost at most, in US dollars.
    package private(set) var cost = 0.0
    private var digests = DigestSet()
    /// By their hashes: as good as different for as many as a file holds.
    private var keys: Set<Int> = []

    package init() {}

    /// Takes the next job.
    /// - Parameter cost: what its call may cost at worst; nil where its price is not known.
    package mutating func add(_ job: NewJob, _ preview: EnqueuePreview, cost: Double?) {
        jobs += 1
        if let key = job.uniqueKey, preview == .taken || !keys.insert(key.hashValue).inserted {
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

    /// As `--json` prints it.
    package var json: JSONValue {
        .object([
            .init("jobs", .integer(Int64(jobs))), .init("cached", .integer(Int64(cached))), .init("repeated", .integer(Int64(repeated))),
            .init("unique_key_taken", .integer(Int64(taken))), .init("to_call", .integer(Int64(calls))),
            .init("max_cost_usd", Money.json(cost)), .init("unpriced", .integer(Int64(unpriced))),
        ])
    }

}

/// Digests that were met, at 8 bytes each: of a million different ones the chance that any two are taken for the same is one in forty
/// million.
package struct DigestSet {
    private var prefixes: Set<UInt64> = []

    package init() {}

    /// Adds one; false where it was met before.
    package mutating func insert(_ digest: [UInt8]) -> Bool {
        prefixes.insert(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }).inserted
    }
}
