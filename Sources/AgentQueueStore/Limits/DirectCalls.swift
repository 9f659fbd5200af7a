import AgentQueueModel

/// Support for direct calls, which are made at once and without a job.
extension CacheStore {
    /// Returns the cached replies by digest, without counting a use.
    package func replies(_ digests: [[UInt8]]) throws -> [[UInt8]: CachedReply] {
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement(CachedReply.ofDigest)
            var replies: [[UInt8]: CachedReply] = [:]
            for digest in digests { replies[digest] = try statement.bind(digest).bind(now).first(CachedReply.init) }
            return replies
        }
    }

    /// Caches answers in one transaction, so pass a few hundred at most.
    package func keep(_ answers: [CacheableAnswer]) async throws {
        guard !answers.isEmpty else { return }
        try await write { transaction in
            for answer in answers { try transaction.cache(answer.entry, result: answer.result, reply: answer.result.reply.text) }
        }
    }
}

extension ClaimStore {
    /// Charges a call that was made without a job: its cost counts for its provider, its target and the day. In lists of charges its job
    /// id is 0.
    /// - Parameter message: why the call failed, as a sentence; empty if it succeeded.
    package func charge(_ report: CallReport, _ message: String, kind: JobKind) async throws {
        try await write { transaction in
            try transaction.record(report, nil, token: 0, message: message, CallPolicies())
            guard let charge = Charge(report, isFenced: false) else { return }
            let lane = try transaction.lane(queue: "default", target: report.target, kind: kind)
            if charge.outcome == .answered {
                transaction.ledger.pay(
                    lane: lane, target: charge.target, usage: charge.usage, cost: charge.knownCost, calls: Int64(charge.calls))
            }
            let claim = ChargedClaim(lease: Lease(jobID: 0, token: 0), lane: lane, batch: nil, attempt: 0, isReserved: false)
            try transaction.charge(charge, to: claim)
        }
    }
}

/// An answer that was paid for, with the cache key under which it can be reused.
package struct CacheableAnswer: Sendable {
    /// The cache key and the time to live.
    package var entry: CacheWrite
    /// The answer itself.
    package var result: JobResult

    package init(entry: CacheWrite, result: JobResult) {
        self.entry = entry
        self.result = result
    }
}
