import AgentQueueModel

/// Calls that are made at once, for no job: their answers and what they cost.
extension CacheStore {
    /// What the cache holds for requests, by their digests, without counting it as used.
    package func replies(_ digests: [[UInt8]]) throws -> [[UInt8]: CachedReply] {
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement(CachedReply.ofDigest)
            var replies: [[UInt8]: CachedReply] = [:]
            for digest in digests { replies[digest] = try statement.bind(digest).bind(now).first(CachedReply.init) }
            return replies
        }
    }

    /// Keeps answers for the next who asks the same, in one transaction: at most some hundreds.
    package func keep(_ answers: [CacheableAnswer]) async throws {
        guard !answers.isEmpty else { return }
        try await write { transaction in
            for answer in answers { try transaction.cache(answer.entry, result: answer.result, reply: answer.result.reply.text) }
        }
    }
}

extension ClaimStore {
    /// Puts a call on record that no job was made for: what it cost counts for its provider, its target and the day. In lists of charges
    /// it has the job 0.
    /// - Parameter message: how it failed, in a sentence; empty if it did not.
    package func charge(_ report: CallReport, _ message: String, kind: JobKind) async throws {
        try await write { transaction in
            try transaction.record(report, nil, token: 0, message: message, CallPolicies())
            guard let charge = Charge(report, isFenced: false) else { return }
            let lane = try transaction.lane(queue: "default", target: report.target, kind: kind)
            if charge.outcome == .answered {
                transaction.ledger.pay(lane: lane, usage: charge.usage, cost: charge.cost, calls: Int64(charge.calls))
            }
            let claim = ChargedClaim(lease: Lease(jobID: 0, token: 0), lane: lane, batch: nil, attempt: 0, isReserved: false)
            try transaction.charge(charge, to: claim)
        }
    }
}

/// An answer that was paid for, and under which key it may serve again.
package struct CacheableAnswer: Sendable {
    /// The key, and for how long.
    package var entry: CacheWrite
    /// The answer.
    package var result: JobResult

    /// Makes one.
    package init(entry: CacheWrite, result: JobResult) {
        self.entry = entry
        self.result = result
    }
}
