import AgentQueueModel
import AgentQueueTestSupport

@testable import AgentQueueStore

/// What callers and workers do with jobs.
extension ModelRun {
    func enqueue() async throws {
        if hasCrowd, chance(30) { return try await enqueueCrowd() }
        let question = random(0...4)
        let queue = Self.queues[random(0...1)]
        let target = Self.targets[random(0...2)]
        var job = NewJob.asking("\(question)", of: target)
        // The model's cache knows questions: so the answer to each is one, whatever it was sent to.
        job.digest = Self.digest(question)
        job.queue = queue
        job.priority = [1, 3, 5, 5, 5, 9][random(0...5)]
        job.maxAttempts = random(1...3)
        job.useCache = chance(70)
        if chance(20) { job.scheduledAt = model.wall + Int64(random(-1_000...20_000)) }
        if chance(15) { job.expiresAt = model.wall + Int64(random(-100...15_000)) }
        if chance(20) { job.uniqueKey = "k\(random(0...1))" }
        if chance(20) { job.batch = "b\(random(0...1))" }
        if chance(40) { for _ in 0..<random(1...3) { job.after.append(anyJob()) } }
        let arrival = model.arrival(
            key: job.uniqueKey, after: job.after, scheduledAt: job.scheduledAt, question: question, useCache: job.useCache)
        note(
            """
            enqueue question \(question) of \(target) in \(queue), priority \(job.priority), attempts \(job.maxAttempts), cache \(job.useCache), \
            at \(offset(job.scheduledAt)), expires \(offset(job.expiresAt)), key \(job.uniqueKey ?? "-"), after \(job.after.map(jobName)): \(arrival)
            """)
        let receipt: Enqueued
        do {
            receipt = try await store.jobs.enqueue(job)
        } catch let error as StoreError where error.kind == .conflict {
            return try expect(arrival == .refused, "refused: \(error)")
        }
        switch arrival {
        case .refused: throw Mismatch(text: "not refused, but \(receipt)")
        case .duplicate(let id, let state):
            try expect(receipt == Enqueued(id: id, state: state, duplicateOf: id), "\(receipt)")
        case .new(let state, let through):
            try expect(receipt.state == state && receipt.duplicateOf == nil && receipt.id > lastID, "\(receipt)")
            lastID = receipt.id
            if firstID == 0 { firstID = receipt.id }
            var new = ReferenceJob(
                id: receipt.id, queue: queue, target: target, state: state, priority: job.priority, maxAttempts: job.maxAttempts,
                scheduledAt: job.scheduledAt ?? model.wall, question: question, useCache: job.useCache)
            new.expiresAt = job.expiresAt
            new.cancelledThrough = through
            new.uniqueKey = job.uniqueKey
            new.batch = job.batch
            model.add(new, after: job.after)
        }
    }

    /// Many jobs that ask the same.
    func enqueueCrowd() async throws {
        hasCrowd = false
        let question = random(0...4)
        let count = random(95...150)
        let jobs = (0..<count).map { index in
            NewJob.with(.asking("\(question)", of: Self.targets[index % 2])) {
                $0.digest = Self.digest(question)
                $0.queue = Self.queues[index % 5 / 4]
                $0.priority = 4 + index % 3
                $0.maxAttempts = 2
            }
        }
        note("enqueue \(count) times question \(question)")
        for (job, receipt) in zip(jobs, try await store.jobs.enqueue(jobs)) {
            let state: JobState = model.isCached(question) ? .completed : .available
            try expect(receipt.state == state, "\(receipt)")
            lastID = receipt.id
            if firstID == 0 { firstID = receipt.id }
            let new = ReferenceJob(
                id: receipt.id, queue: job.queue, target: job.target.description, state: state, priority: job.priority, maxAttempts: 2,
                scheduledAt: model.wall, question: question, useCache: true)
            model.add(new, after: [])
        }
    }

    static func digest(_ question: Int) -> [UInt8] { [UInt8](repeating: UInt8(question + 1), count: 32) }

    func offset(_ time: Int64?) -> String { time.map { "\($0 - model.wall)" } ?? "-" }

    func claim() async throws {
        guard let index = workers.indices.filter({ workers[$0].isAlive }).randomElement(using: &generator) else {
            return try await register()
        }
        let worker = workers[index]
        let request = ClaimRequest(
            worker: worker.id, queues: chance(80) ? nil : [Self.queues[random(0...1)]],
            providers: chance(80) ? ["local", "other"] : ["local"],
            slots: random(0...4), lease: Int64(random(1...6)) * 1_000,
            isIdle: chance(50) || !model.jobs.values.contains { $0.worker == worker.id })
        let wanted = Set(
            model.jobs.values.filter { $0.worker == worker.id && $0.cancelRequestedAt != nil && !model.isFollowed($0) }.map(\.id))
        let candidates = model.candidates(queues: request.queues, providers: request.providers)
        note(
            "claim \(request.slots) by w\(index) of \(request.queues?.sorted() ?? ["all"]) \(request.providers.sorted()), lease \(request.lease), idle \(request.isIdle)"
        )
        let round = try await store.claims.claim(request)
        steps[steps.count - 1] += ": \(round.jobs.map { jobName($0.id) })"
        try expect(Set(round.cancellations.map(\.jobID)) == wanted, "cancellations \(round.cancellations), not \(wanted)")
        try expect(round.cancellations.allSatisfy(model.holds), "cancellations under other tokens")

        let followers = try newFollowers(of: round, candidates)
        if !followers.isEmpty { steps[steps.count - 1] += ", followers: \(followers.map { jobName($0.id) })" }
        try expectBest(round, candidates.filter { !followers.contains($0) }, request, followers)
        for job in round.jobs {
            try expect(job.lease.token > lastToken, "the token \(job.lease.token) is not above \(lastToken)")
            let known = model.jobs[job.id]
            try expect(known?.state == .available && Set(candidates.map(\.id)).contains(job.id), "\(jobName(job.id)) was not ready")
            try expect(
                job.attempt == (known?.attempt ?? 0) + 1 && job.maxAttempts == known?.maxAttempts && job.crashes == known?.crashes
                    && job.priority == known?.priority && job.digest == Self.digest(known?.question ?? 0), "\(job)")
            try expect(job.isCached == (job.useCache && model.isCached(known?.question ?? -1)), "isCached of \(jobName(job.id))")
            model.claim(job.id, token: job.lease.token, worker: worker.id, lease: clock.boot + request.lease)
        }
        for job in followers { model.follow(job.id) }
        claims += round.jobs
        if let token = round.jobs.first?.lease.token { lastToken = token }
        // Some calls begin at once.
        for job in round.jobs where chance(60) {
            workers[index].begun[job.id] = workers[index].calls?.begin(job: job.id)
            steps[steps.count - 1] += ", \(jobName(job.id)) begun"
        }
    }

    /// The jobs that a round found to wait for an identical one's answer: each of them must, and none that was claimed may.
    func newFollowers(of round: ClaimRound, _ candidates: [ReferenceJob]) throws -> [ReferenceJob] {
        let known = try stored.followers()
        let followers = candidates.filter { known[$0.id] != nil }
        var led: Set<Int> = []
        for job in round.jobs.compactMap({ model.jobs[$0.id] }) where job.useCache && !model.isCached(job.question) {
            try expect(
                !model.isFlying(job.question) && led.insert(job.question).inserted,
                "\(jobName(job.id)) is to be called for, beside its like")
        }
        for job in followers {
            try expect(
                job.useCache && !model.isCached(job.question) && (led.contains(job.question) || model.isFlying(job.question)),
                "\(jobName(job.id)) follows nothing")
        }
        return followers
    }

    /// A round claims the best of what may be called for.
    func expectBest(_ round: ClaimRound, _ rest: [ReferenceJob], _ request: ClaimRequest, _ followers: [ReferenceJob]) throws {
        let suspects = rest.filter(\.isQuarantined)
        let order = { (one: ReferenceJob, other: ReferenceJob) in (one.priority, one.id) < (other.priority, other.id) }
        if let job = round.jobs.first.flatMap({ model.jobs[$0.id] }), job.isQuarantined {
            try expect(request.isIdle && round.quarantinedWaits && round.runsAlone && round.jobs.count == 1, "\(round)")
            let lane = suspects.filter { $0.queue == job.queue && $0.target == job.target }.sorted(by: order)
            try expect(lane.first?.id == job.id, "the suspect \(jobName(job.id)) is not the first of its lane")
            return
        }
        if request.slots > 0, !request.isIdle, !suspects.isEmpty {
            return try expect(round.quarantinedWaits && !round.runsAlone && round.jobs.isEmpty && followers.isEmpty, "\(round)")
        }
        // Each lane's first suspect was found to follow another: what comes behind it has its turn in the next round.
        let lanes = Set(followers.filter(\.isQuarantined).map { $0.queue + $0.target })
        try expect(request.slots == 0 || suspects.allSatisfy { lanes.contains($0.queue + $0.target) }, "a suspect was passed over")
        try expect(!round.quarantinedWaits && !round.runsAlone, "\(round)")
        let rest = rest.filter { !$0.isQuarantined }
        try expect(round.jobs.count == min(max(0, request.slots), rest.count), "\(round.jobs.count) of \(rest.count) claimed")
        try expect(request.slots > 0 || followers.isEmpty, "followers without a claim")
        // The best priorities of all, and of each lane the first.
        let taken = round.jobs.compactMap { model.jobs[$0.id] }
        try expect(
            taken.map(\.priority).sorted() == rest.map(\.priority).sorted().prefix(taken.count).map { $0 }, "not the best: \(taken)")
        for (_, lane) in Dictionary(grouping: rest, by: { $0.queue + $0.target }) {
            let mine = Set(lane.map(\.id)).intersection(taken.map(\.id))
            try expect(Set(lane.sorted(by: order).prefix(mine.count).map(\.id)) == mine, "a lane's later job goes first: \(taken)")
        }
    }

    func settle() async throws {
        // Mostly a claim that is held; else any that ever was.
        let held = claims.filter { model.holds($0.lease) }
        guard let job = chance(80) ? pick(held) ?? pick(claims) : pick(claims) else { return try await claim() }
        let isGood = model.holds(job.lease)
        if job.isCached, chance(50) {
            note("settle \(jobName(job.id)) from the cache (token \(isGood ? "good" : "stale"))")
            let question = model.jobs[job.id]?.question ?? Int(job.digest[0]) - 1
            let result = try await store.claims.settleFromCache(job)
            if !model.isCached(question) {
                try expect(result == nil, "\(String(describing: result)) without an entry")
            } else {
                try settled(job, result ?? .fenced, Settlement(state: .completed), .cache)
            }
            return endCall(job)
        }
        let ends: [AttemptEnd] = [
            .answered, .answered, .answered, .answered, .handedBack, .failed(.retryable), .failed(.retryable),
            .failed(.timedOut, retryAfter: 7_000),
            .failed(.rateLimited, retryAfter: 3_000), .failed(.overloaded), .failed(.permanent), .failed(.cancelled), .failed(.shutdown),
            .failed(.invalidReply),
        ]
        guard let end = pick(ends) else { return }
        let settlement = Settlement.decide(
            end, attempt: job.attempt, maxAttempts: job.maxAttempts, backoff: Int64(random(500...4_000)), now: model.wall)
        let caches = end == .answered && job.useCache && chance(60)
        let lifetime = Int64(random(1...30) * 1_000)
        note(
            "settle \(jobName(job.id)) (token \(isGood ? "good" : "stale")), \(end): \(settlement.state) at \(offset(settlement.scheduledAt))\(caches ? ", cached for \(lifetime)" : "")"
        )
        var request = end == .answered ? SettleRequest.answer(job) : SettleRequest(job: job, settlement: settlement)
        if caches {
            request.cache = CacheWrite(digest: job.digest, timeToLive: lifetime)
            model.cache[Int(job.digest[0]) - 1] = model.wall + lifetime
        }
        if case .failed(let failure, _) = end {
            request.error = JobError(attempt: job.attempt, at: model.wall, failure: failure, message: "it failed")
        }
        try settled(job, try await store.claims.settle(request), settlement)
        endCall(job)
    }

    func settled(
        _ job: ClaimedJob, _ result: SettleResult, _ settlement: Settlement, _ answeredBy: AnsweredBy = .provider
    ) throws {
        guard let state = model.settle(job.lease, settlement, answeredBy: answeredBy) else {
            return try expect(result == .fenced, "\(result) under a stale token")
        }
        try expect(result == .settled(state), "\(result), not \(state)")
        if state == .completed { try expect(completions.insert(job.id).inserted, "\(jobName(job.id)) completes twice") }
    }

    func endCall(_ job: ClaimedJob) {
        for index in workers.indices where workers[index].isAlive {
            // A later claim of the same job by the same worker has its own note.
            guard model.jobs[job.id]?.worker != workers[index].id, let slot = workers[index].begun.removeValue(forKey: job.id) else {
                continue
            }
            workers[index].calls?.end(slot)
        }
    }

    func beat() throws {
        let leases = (0..<random(1...4)).compactMap { _ in pick(claims)?.lease }
        note("heartbeat of \(leases.map { jobName($0.jobID) })")
        let lost = try heartbeat.renew(leases, for: 5_000)
        try expect(lost == leases.filter { !model.holds($0) }, "lost: \(lost)")
        for lease in leases where model.holds(lease) { model.jobs[lease.jobID]?.lease = clock.boot + 5_000 }
    }

    func change(_ wish: ReferenceQueue.Wish) async throws {
        let ids = (0..<random(1...2)).map { _ in anyJob() }
        note("\(wish) \(ids.map(jobName))")
        let expected = ids.map { model.change(wish, $0) }
        let changes =
            switch wish {
            case .cancel: try await store.jobs.cancel(ids: ids)
            case .retry: try await store.jobs.retry(ids: ids)
            case .delete: try await store.jobs.delete(ids: ids)
            }
        try expect(changes.map(\.id) == ids, "\(changes)")
        for (change, expected) in zip(changes, expected) {
            let isSo =
                switch (change.result, expected) {
                case (.changed(let state), .changed(let other)), (.unchanged(let state), .unchanged(let other)): state == other
                case (.refused, .refused), (.notFound, .notFound): true
                default: false
                }
            try expect(isSo, "\(change), not \(expected)")
        }
    }
}
