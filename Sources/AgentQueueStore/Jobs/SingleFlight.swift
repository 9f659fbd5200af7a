import AgentQueueModel

extension MaintenanceStore {
    /// Completes one slice of the followers whose answer has come.
    /// - Returns: whether there may be more to do.
    package func fanOut(slice: Int = 200) async throws -> Bool {
        guard try read({ try $0.statement("SELECT 1 FROM landings LIMIT 1").exists() }) else { return false }
        return try await write { try $0.landNext(slice: slice) }
    }
}

/// Single flight: of identical jobs, only one calls. A flight is a running job that the cache may serve; the index `jobs_flying` finds it
/// by its digest. Identical jobs that are claimed in the meantime become its followers: they stay `pending`, without an attempt, until its
/// answer is fanned out. If the flight leaves no answer, a follower is made available in its place.
extension WriteTransaction {
    /// How many followers the leader's own transaction completes at most; the rest follow in slices.
    static let firstSlice = 100

    /// Limits a slice to about a megabyte of results: an answer can be long, and a transaction must be short.
    private static func slice(_ most: Int, _ answer: SharedResult) -> Int { max(1, min(most, (1 << 20) / max(1, answer.reply.utf8.count))) }

    /// Returns whether an identical request is under way.
    /// - Parameter besides: a token whose jobs do not count.
    func isFlying(_ digest: [UInt8], besides token: Int64 = 0) throws(SQLFailure) -> Bool {
        try statement(
            "SELECT 1 FROM jobs INDEXED BY jobs_flying WHERE digest = ? AND state = 'running' AND use_cache = 1 AND token <> ? LIMIT 1"
        ).bind(digest).bind(token).first { _ in true } ?? false
    }

    /// Returns the jobs to call for among those just claimed under one token. The others become followers of these, or of a flight
    /// elsewhere.
    func withoutFollowers(_ jobs: [ClaimedJob], _ claiming: inout ClaimBuilder) throws -> [ClaimedJob] {
        var kept: [ClaimedJob] = []
        kept.reserveCapacity(jobs.count)
        for job in jobs {
            guard job.useCache, !job.isCached else {
                kept.append(job)
                continue
            }
            if try claiming.leads(job.digest) && !isFlying(job.digest, besides: job.lease.token) {
                kept.append(job)
            } else {
                try follow(job)
                claiming.followers += 1
            }
        }
        return kept
    }

    /// Puts back a job that was just claimed and makes it a follower.
    private func follow(_ job: ClaimedJob) throws(SQLFailure) {
        try putBack(job, to: .pending)
        try insertFollower(job.id, job.digest, lane: job.laneID, priority: job.priority)
    }

    func insertFollower(_ id: Int64, _ digest: [UInt8], lane: Int64, priority: Int) throws(SQLFailure) {
        try statement("INSERT INTO followers (job_id, digest, lane_id, priority) VALUES (?, ?, ?, ?)")
            .bind(id).bind(digest).bind(lane).bind(priority).run()
    }

    /// Makes followers of those among a lane's next jobs whose request is under way. Where one follower was found there are often many,
    /// each of which would otherwise be claimed first.
    func sweepFollowers(of lane: ReadyLane, upTo priority: Int, _ claiming: inout ClaimBuilder) throws {
        let next = try statement(
            """
            SELECT id, digest, priority, batch_id, use_cache = 1 AND batch_api = 0 FROM jobs INDEXED BY jobs_available
            WHERE lane_id = ? AND state = 'available' AND crashes < 2 AND priority <= ? ORDER BY priority, id LIMIT ?
            """
        ).bind(lane.id).bind(priority).bind(ClaimBuilder.sweepLength).all {
            (id: $0.int64(0), digest: $0.blob(1), priority: $0.int(2), batch: $0.optionalInt64(3), mayFollow: $0.int64(4) == 1)
        }
        var isFlying: [[UInt8]: Bool] = [:]
        for job in next where job.mayFollow {
            let flies = try isFlying[job.digest] ?? (self.isFlying(job.digest) && cachedReply(job.digest) == nil)
            isFlying[job.digest] = flies
            guard flies else { continue }
            try followInPlace(job.id, lane: lane.id, batch: job.batch)
            try insertFollower(job.id, job.digest, lane: lane.id, priority: job.priority)
            claiming.followers += 1
        }
    }

    // MARK: The flight's end

    /// Returns whether a request has followers.
    func isFollowed(_ digest: [UInt8]) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM followers WHERE digest = ? LIMIT 1").bind(digest).first { _ in true } ?? false
    }

    /// Completes the followers of a request that has been answered, some now and the rest in slices.
    /// - Parameter most: how many to complete now, at most.
    func fanOut(_ digest: [UInt8], _ answer: SharedResult, most: Int = firstSlice) throws {
        guard try isFollowed(digest) else { return }
        let slice = Self.slice(most, answer)
        guard try complete(slice, followersOf: digest, answer) == slice else { return }
        try statement(
            """
            INSERT INTO landings (digest, reply, target, input_tokens, output_tokens, cost_usd, latency_ms, unpriced)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """
        ).bind(digest).bind(answer.reply).bind(answer.target).bind(answer.usage.inputTokens).bind(answer.usage.outputTokens)
            .bind(answer.cost ?? 0).bind(answer.latency).bind(answer.cost == nil).run()
        ledger.ringWork()
    }

    /// Completes one slice of an unfinished fan-out; returns false if there is none.
    fileprivate func landNext(slice: Int) throws -> Bool {
        let landing = try statement(
            "SELECT digest, reply, target, input_tokens, output_tokens, cost_usd, latency_ms, unpriced FROM landings LIMIT 1"
        ).first { row in
            let usage = Usage(inputTokens: row.int(3), outputTokens: row.int(4))
            return (
                row.blob(0),
                SharedResult(
                    reply: row.text(1), target: row.text(2), usage: usage, cost: row.bool(7) ? nil : row.double(5), latency: row.int64(6))
            )
        }
        guard let (digest, answer) = landing else { return false }
        let slice = Self.slice(slice, answer)
        if try complete(slice, followersOf: digest, answer) < slice {
            try statement("DELETE FROM landings WHERE digest = ?").bind(digest).run()
        }
        return true
    }

    private func complete(_ limit: Int, followersOf digest: [UInt8], _ answer: SharedResult) throws -> Int {
        let followers = try statement(
            "SELECT job_id, lane_id, (SELECT batch_id FROM jobs WHERE id = job_id) FROM followers WHERE digest = ? LIMIT ?"
        ).bind(digest).bind(limit).all { (id: $0.int64(0), lane: $0.int64(1), batch: $0.optionalInt64(2)) }
        for job in followers {
            try statement("DELETE FROM followers WHERE job_id = ?").bind(job.id).run()
            guard try endFollower(job.id, lane: job.lane, batch: job.batch) else { continue }
            ledger.coalesce(lane: job.lane, cost: answer.cost)
            try writeResult(
                of: job.id, reply: answer.reply, by: .coalesced, target: answer.target, usage: answer.usage, latency: answer.latency)
            try recordFinish(of: job.id, .completed)
        }
        return followers.count
    }

    /// Makes followers available after a flight that left no answer: one in each lane, because a lane may be paused or have no live
    /// worker. The first to be claimed leads the others.
    /// - Parameter rings: whether to wake the workers.
    func promoteFollowers(of digest: [UInt8], rings: Bool = true) throws(SQLFailure) {
        guard try isFollowed(digest), try !isFlying(digest), try !isLanding(digest) else { return }
        var lane: Int64 = 0
        while true {
            let next = try statement(
                "SELECT job_id, lane_id FROM followers WHERE digest = ? AND lane_id > ? ORDER BY lane_id, priority, job_id LIMIT 1"
            ).bind(digest).bind(lane).first { ($0.int64(0), $0.int64(1)) }
            guard let next else { return }
            lane = next.1
            try statement("DELETE FROM followers WHERE job_id = ?").bind(next.0).run()
            try releaseFollower(next.0, lane: lane, rings: rings)
        }
    }

    private func isLanding(_ digest: [UInt8]) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM landings WHERE digest = ?").bind(digest).first { _ in true } ?? false
    }

    /// Promotes the followers of a job that ended without an answer or that waits for a retry.
    func promoteFollowers(ofJob id: Int64) throws(SQLFailure) {
        let digest = try statement(
            "SELECT digest FROM jobs WHERE id = ? AND use_cache = 1 AND EXISTS (SELECT 1 FROM followers WHERE digest = +jobs.digest)"
        ).bind(id).first { $0.blob(0) }
        if let digest { try promoteFollowers(of: digest) }
    }

    /// Removes a follower that has ended.
    func unfollow(_ id: Int64) throws(SQLFailure) {
        try statement("DELETE FROM followers WHERE job_id = ?").bind(id).run()
    }
}

/// An answer for the followers of an identical request.
struct SharedResult {
    /// The reply as stored.
    var reply: String
    /// What answered: `provider/model`.
    var target: String
    /// The tokens of the call, which was paid for once.
    var usage: Usage
    /// The cost of the call in US dollars, which each follower saves; nil if the price is unknown.
    var cost: Double?
    /// The call's duration in milliseconds.
    var latency: Int64
}

extension SharedResult {
    init(reply: String, _ result: JobResult) {
        self.init(reply: reply, target: result.target, usage: result.usage, cost: result.cost, latency: result.latency)
    }

    init(_ cached: CachedReply) {
        let usage = Usage(inputTokens: cached.inputTokens, outputTokens: cached.outputTokens)
        self.init(reply: cached.reply, target: cached.target, usage: usage, cost: cached.cost, latency: 0)
    }
}
