import AgentQueueModel

extension MaintenanceStore {
    /// Completes one slice of the jobs that wait for answers which have come.
    /// - Returns: whether there may be more to do.
    package func fanOut(slice: Int = 200) async throws -> Bool {
        guard try read({ try $0.statement("SELECT 1 FROM landings LIMIT 1").exists() }) else { return false }
        return try await write { try $0.landNext(slice: slice) }
    }
}

/// Single flight. A flight is a running job that the cache may serve; the index `jobs_flying` finds it by its digest. Identical jobs
/// that are claimed meanwhile follow it: they are `pending`, without an attempt, until its answer lands. Where no answer comes of it,
/// one of them is made available in its place.
extension WriteTransaction {
    /// The most jobs that the transaction of an answer completes besides its own; the rest follows in slices.
    static let firstSlice = 100

    /// As many as write about a megabyte: a transaction must be short, and an answer can be long.
    private static func slice(_ most: Int, _ answer: SharedResult) -> Int { max(1, min(most, (1 << 20) / max(1, answer.reply.utf8.count))) }

    /// Whether an identical request is under way under another lease.
    /// - Parameter besides: a token whose jobs do not count.
    func isFlying(_ digest: [UInt8], besides token: Int64 = 0) throws(SQLFailure) -> Bool {
        try statement(
            "SELECT 1 FROM jobs INDEXED BY jobs_flying WHERE digest = ? AND state = 'running' AND use_cache = 1 AND token <> ? LIMIT 1"
        ).bind(digest).bind(token).first { _ in true } ?? false
    }

    /// Of jobs that were just claimed under one token, those that are to be called for: the others follow them, or one under way
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

    /// Puts back a job that was just claimed: an identical one's answer will be its own.
    private func follow(_ job: ClaimedJob) throws(SQLFailure) {
        try putBack(job, to: .pending)
        try insertFollower(job.id, job.digest, lane: job.laneID, priority: job.priority)
    }

    func insertFollower(_ id: Int64, _ digest: [UInt8], lane: Int64, priority: Int) throws(SQLFailure) {
        try statement("INSERT INTO followers (job_id, digest, lane_id, priority) VALUES (?, ?, ?, ?)")
            .bind(id).bind(digest).bind(lane).bind(priority).run()
    }

    /// Looks through a lane's next jobs for those whose like is under way, and has them follow: where one was found there are often
    /// many, and each would else be claimed first.
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

    /// Whether jobs wait for the answer to a request.
    func isFollowed(_ digest: [UInt8]) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM followers WHERE digest = ? LIMIT 1").bind(digest).first { _ in true } ?? false
    }

    /// An answer has come: it completes the jobs that wait for it, some now, and the rest in slices.
    /// - Parameter most: how many at once.
    func fanOut(_ digest: [UInt8], _ answer: SharedResult, most: Int = firstSlice) throws {
        guard try isFollowed(digest) else { return }
        let slice = Self.slice(most, answer)
        guard try complete(slice, followersOf: digest, answer) == slice else { return }
        try statement(
            """
            INSERT INTO landings (digest, reply, target, input_tokens, output_tokens, cost_usd, latency_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """
        ).bind(digest).bind(answer.reply).bind(answer.target).bind(answer.usage.inputTokens).bind(answer.usage.outputTokens)
            .bind(answer.cost).bind(answer.latency).run()
        ledger.ringWork()
    }

    /// One slice of what remains of an answer's landing; returns false where there is none.
    fileprivate func landNext(slice: Int) throws -> Bool {
        let landing = try statement(
            "SELECT digest, reply, target, input_tokens, output_tokens, cost_usd, latency_ms FROM landings LIMIT 1"
        ).first { row in
            let usage = Usage(inputTokens: row.int(3), outputTokens: row.int(4))
            return (
                row.blob(0), SharedResult(reply: row.text(1), target: row.text(2), usage: usage, cost: row.double(5), latency: row.int64(6))
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

    /// No answer comes of a flight: one of those that wait for it is made available in its place, in each lane, for a lane may be
    /// paused, or no worker of it alive. The first to be claimed leads the others.
    /// - Parameter rings: whether workers are to look at once.
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

    /// A job has ended without an answer, or waits to be tried again: those that wait for its answer need another to ask for it.
    func promoteFollowers(ofJob id: Int64) throws(SQLFailure) {
        let digest = try statement(
            "SELECT digest FROM jobs WHERE id = ? AND use_cache = 1 AND EXISTS (SELECT 1 FROM followers WHERE digest = +jobs.digest)"
        ).bind(id).first { $0.blob(0) }
        if let digest { try promoteFollowers(of: digest) }
    }

    /// A job that waits for another's answer has ended, and waits no more.
    func unfollow(_ id: Int64) throws(SQLFailure) {
        try statement("DELETE FROM followers WHERE job_id = ?").bind(id).run()
    }
}

/// The answer to an identical request, for the jobs that wait for it.
struct SharedResult {
    /// The reply as stored.
    var reply: String
    /// What answered, `provider/model`.
    var target: String
    /// The tokens of the call, which was paid for once.
    var usage: Usage
    /// What the call cost, in US dollars: what each of those who wait saves.
    var cost: Double
    /// From the call's start to its end, in ms.
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
