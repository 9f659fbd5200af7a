import AgentQueueModel
import AgentQueueTestSupport
import Foundation

@testable import AgentQueueStore

/// Random sequences of everything the store can do, beside the reference model. One store serves many sequences, each of
/// which finds it empty and leaves it empty.
final class ModelRun {
    /// Where store and model part.
    struct Mismatch: Error {
        var text: String
    }

    private let folder: String
    private let clock = TestClock()
    private let store: QueueStore
    private let stored: StoredQueue
    private let heartbeat: Heartbeat

    // One sequence.
    private(set) var steps: [String] = []
    private var generator = SeededGenerator(seed: 0)
    private var model = ReferenceQueue()
    private var workers: [ReferenceWorker] = []
    private var claims: [ClaimedJob] = []
    private var lastToken: Int64 = 0
    private var firstID: Int64 = 0
    private var lastID: Int64 = 0
    /// Completions that were acknowledged, by job and life: a job that completed once is never acknowledged again.
    private var completions: Set<Int64> = []
    /// Whether once so many ask the same that their answer lands in slices.
    private var hasCrowd = false

    private static let targets = ["local/a", "local/b", "other/a"]
    private static let queues = ["q0", "q1"]
    private static let start: Int64 = 1_795_305_600_000

    init() async throws {
        folder = try Folder.make()
        store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal, clock: clock.storeClock))
        // The lanes, always in the same order.
        for queue in Self.queues {
            for target in Self.targets { _ = try await store.jobs.enqueue(.with(.asking("lane", of: target)) { $0.queue = queue }) }
        }
        _ = try await store.jobs.cancel(where: JobFilter())
        _ = try await store.jobs.delete(where: JobFilter())
        stored = try StoredQueue(folder + "/q.db")
        heartbeat = try Heartbeat(store)
    }

    func close() {
        heartbeat.close()
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs one sequence.
    func run(seed: UInt64, checks: Bool) async throws {
        generator = SeededGenerator(seed: seed)
        steps = []
        model = ReferenceQueue()
        model.lanes = Self.queues.flatMap { queue in Self.targets.map { queue + " " + $0 } }
        workers = []
        claims = []
        completions = []
        hasCrowd = chance(2)
        clock.wall = Self.start
        clock.boot = 1_000_000
        clock.bootID = "boot-\(seed)-0"
        model.wall = Self.start
        try stored.forgetServed()
        lastToken = try stored.counts().token
        firstID = 0
        try await register()
        for _ in 0..<random(20...40) {
            try await step()
            try compare()
        }
        if checks { try check() }
        try await drain()
    }

    // MARK: Chance

    private func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private func chance(_ percent: Int) -> Bool { random(1...100) <= percent }
    private func pick<T>(_ values: [T]) -> T? { values.isEmpty ? nil : values[random(0...values.count - 1)] }
    private func jobName(_ id: Int64) -> String { firstID == 0 || id < firstID ? "j?" : "j\(id - firstID + 1)" }
    private func note(_ text: String) { steps.append(text) }

    private func expect(_ isSo: Bool, _ text: @autoclosure () -> String) throws {
        guard isSo else { throw Mismatch(text: text()) }
    }

    /// A job of the sequence, or now and then one that never was.
    private func anyJob() -> Int64 {
        chance(2) || model.jobs.isEmpty ? 9_000_000_000 : model.ordered[random(0...model.jobs.count - 1)].id
    }

    private func step() async throws {
        switch random(1...100) {
        case ...22: try await enqueue()
        case ...40: try await claim()
        case ...60: try await settle()
        case ...63: try beat()
        case ...70: try await change(.cancel)
        case ...75: try await change(.retry)
        case ...77: try await change(.delete)
        case ...80: try await cascade()
        case ...82: try await fanOut()
        case ...86: try await rescue()
        case ...89: try await promote()
        case ...91: try await expire()
        case ...92: try await prune()
        case ...93: try await pause()
        case ...95: try await workersChange()
        default: turnClocks()
        }
    }

    // MARK: Steps

    private func enqueue() async throws {
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
    private func enqueueCrowd() async throws {
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

    private static func digest(_ question: Int) -> [UInt8] { [UInt8](repeating: UInt8(question + 1), count: 32) }

    private func offset(_ time: Int64?) -> String { time.map { "\($0 - model.wall)" } ?? "-" }

    private func claim() async throws {
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
    private func newFollowers(of round: ClaimRound, _ candidates: [ReferenceJob]) throws -> [ReferenceJob] {
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
    private func expectBest(_ round: ClaimRound, _ rest: [ReferenceJob], _ request: ClaimRequest, _ followers: [ReferenceJob]) throws {
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

    private func settle() async throws {
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

    private func settled(
        _ job: ClaimedJob, _ result: SettleResult, _ settlement: Settlement, _ answeredBy: AnsweredBy = .provider
    ) throws {
        guard let state = model.settle(job.lease, settlement, answeredBy: answeredBy) else {
            return try expect(result == .fenced, "\(result) under a stale token")
        }
        try expect(result == .settled(state), "\(result), not \(state)")
        if state == .completed { try expect(completions.insert(job.id).inserted, "\(jobName(job.id)) completes twice") }
    }

    private func endCall(_ job: ClaimedJob) {
        for index in workers.indices where workers[index].isAlive {
            // A later claim of the same job by the same worker has its own note.
            guard model.jobs[job.id]?.worker != workers[index].id, let slot = workers[index].begun.removeValue(forKey: job.id) else {
                continue
            }
            workers[index].calls?.end(slot)
        }
    }

    private func beat() throws {
        let leases = (0..<random(1...4)).compactMap { _ in pick(claims)?.lease }
        note("heartbeat of \(leases.map { jobName($0.jobID) })")
        let lost = try heartbeat.renew(leases, for: 5_000)
        try expect(lost == leases.filter { !model.holds($0) }, "lost: \(lost)")
        for lease in leases where model.holds(lease) { model.jobs[lease.jobID]?.lease = clock.boot + 5_000 }
    }

    private func change(_ wish: ReferenceQueue.Wish) async throws {
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

    private func cascade() async throws {
        let slice = chance(50) ? 1 : 200
        note("cascade by \(slice) (\(model.cascades.sorted().map(jobName)))")
        let expected = model.cascade(limit: slice)
        let more = try await store.maintenance.cascade(slice: slice)
        try expect(more == expected, "cascade says \(more)")
    }

    private func fanOut() async throws {
        let slice = chance(50) ? 7 : 200
        note("land by \(slice) (\(model.landings.sorted()))")
        let expected = model.fanOut(limit: slice)
        let more = try await store.maintenance.fanOut(slice: slice)
        try expect(more == expected, "land says \(more)")
    }

    private func rescue() async throws {
        let except = chance(30) ? Set(workers.filter(\.isAlive).map(\.id)) : []
        note("rescue but of \(except.count)")
        var count = 0
        for worker in workers where !except.contains(worker.id) {
            let isOfThisBoot = worker.bootID == clock.bootID
            let isDead = !worker.isAlive || !isOfThisBoot
            for job in model.ordered where job.worker == worker.id && (isDead || (job.lease ?? 0) < clock.boot) {
                let hadBegun = isOfThisBoot ? worker.begun[job.id] != nil : true
                model.rescue(job.id, hadBegun: hadBegun, died: isDead && isOfThisBoot)
                count += 1
            }
        }
        workers.removeAll { !except.contains($0.id) && (!$0.isAlive || $0.bootID != clock.bootID) }
        let rescued = try await store.maintenance.rescue(except: except, slice: random(1...5))
        try expect(rescued == count, "\(rescued) rescued, not \(count)")
        let registered = try store.maintenance.workers().map(\.id)
        try expect(registered == workers.map(\.id).sorted(), "registered: \(registered), not \(workers.map(\.id))")
    }

    private func promote() async throws {
        let slice = chance(30) ? 1 : 500
        note("promote by \(slice)")
        let expected = model.promote(limit: slice)
        let (promoted, nextDue) = try await store.maintenance.promote(slice: slice)
        try expect(promoted == expected && nextDue == model.nextDue, "promoted \(promoted) and then \(offset(nextDue))")
    }

    private func expire() async throws {
        let slice = chance(30) ? 1 : 200
        note("expire by \(slice)")
        let expected = model.expire(limit: slice)
        let expired = try await store.maintenance.expire(slice: slice)
        try expect(expired == expected, "expired \(expired), not \(expected)")
    }

    private func prune() async throws {
        let ages = [JobState.completed, .cancelled, .discarded].map { ($0, Int64(random(0...20)) * 1_000) }
        note("prune \(ages)")
        let expected = model.prune(ages)
        let policy = PrunePolicy(completed: ages[0].1, cancelled: ages[1].1, discarded: ages[2].1, shrinks: false)
        let prospect = try await store.maintenance.prune(policy, dryRun: true)
        let report = try await store.maintenance.prune(policy)
        try expect(report.jobs == expected && prospect.jobs == expected, "pruned \(report.jobs) (\(prospect.jobs)), not \(expected)")
    }

    private func pause() async throws {
        let queue = Self.queues[random(0...1)]
        note((model.paused.contains(queue) ? "resume " : "pause ") + queue)
        if model.paused.remove(queue) != nil {
            try await store.jobs.resume(queue: queue)
        } else {
            model.paused.insert(queue)
            try await store.jobs.pause(queue: queue)
        }
    }

    private func workersChange() async throws {
        guard let index = workers.indices.filter({ workers[$0].isAlive }).randomElement(using: &generator), chance(60) else {
            return try await register()
        }
        if chance(70) {
            note("w\(index) is killed")
            kill(index)
        } else {
            note("w\(index) leaves")
            let id = workers[index].id
            try await store.claims.unregisterWorker(id)
            // With jobs, its row stays, and it is as good as dead.
            if model.jobs.values.contains(where: { $0.worker == id }) { kill(index) } else { workers.remove(at: index) }
        }
    }

    private func register() async throws {
        guard workers.count < 4 else { return }
        note("a worker registers")
        let registration = try await store.claims.registerWorker()
        workers.append(ReferenceWorker(id: registration.id, bootID: clock.bootID, calls: registration.calls))
    }

    /// What the kernel does when a process dies: its byte is free.
    private func kill(_ index: Int) {
        store.locks.unlock(worker: workers[index].id)
        workers[index].isAlive = false
        workers[index].calls = nil
    }

    private func turnClocks() {
        switch random(1...10) {
        case ...5:
            let time = Int64(random(1...8_000))
            note("\(time) ms pass")
            clock.advance(time)
        case ...7:
            let time = Int64([-3_600_000, -5_000, 5_000, 86_400_000][random(0...3)])
            note("the wall clock is set by \(time)")
            clock.wall += time
        case ...9:
            let time = Int64(random(1...6_000))
            note("\(time) ms pass for leases")
            clock.boot += time
        default:
            note("the machine starts anew")
            for index in workers.indices where workers[index].isAlive { kill(index) }
            clock.bootID += "+"
            clock.boot = Int64(random(1...2_000_000))
        }
        model.wall = clock.wall
    }

    // MARK: Comparing

    private func compare() throws {
        let rows = try stored.jobs()
        let expected = model.ordered
        for (row, job) in zip(rows, expected) where row != job.row {
            throw Mismatch(text: "\(jobName(job.id)):\n  stored \(row)\n  model  \(job.row)")
        }
        let missing = Set(expected.map(\.id)).symmetricDifference(rows.map(\.id))
        try expect(missing.isEmpty, "jobs that only one of them has: \(missing.sorted().map(jobName))")
        let edges = try stored.dependencies()
        let expectedEdges = expected.flatMap { job in
            job.dependencies.sorted { $0.key < $1.key }.map { StoredQueue.Edge(job: job.id, dependsOn: $0.key, isMet: $0.value) }
        }
        try expect(edges == expectedEdges, "dependencies:\n  stored \(edges)\n  model  \(expectedEdges)")
        let cascades = try stored.cascades()
        try expect(cascades == model.cascades, "to be told: \(cascades.sorted().map(jobName)), not \(model.cascades.sorted().map(jobName))")
        let followers = try stored.followers()
        let expectedFollowers = Dictionary(uniqueKeysWithValues: expected.filter(\.follows).map { ($0.id, Self.digest($0.question)) })
        try expect(followers == expectedFollowers, "followers \(followers.keys.sorted()), not \(expectedFollowers.keys.sorted())")
        let landings = try stored.landings()
        try expect(landings == Set(model.landings.map(Self.digest)), "\(landings.count) landings, not \(model.landings)")
        let results = try stored.results()
        for job in expected {
            try expect(results[job.id] == job.answeredBy, "\(jobName(job.id)) was answered by \(String(describing: results[job.id]))")
        }
        for lane in try stored.lanes() {
            var counts = [Int](repeating: 0, count: 8)
            for job in expected where lane.name == job.queue + " " + job.target { counts[job.state.index] += 1 }
            try expect(lane.counts == counts, "the counts of \(lane.name) are \(lane.counts), not \(counts)")
        }
        let counts = try stored.counts()
        try expect(counts.token >= lastToken, "the token's counter went back")
        try expect(counts.results == expected.count { $0.state == .completed }, "\(counts.results) results")
    }

    private func check() throws {
        let faults = try store.maintenance.check().faults
        try expect(faults.isEmpty, "\(faults)")
        let waiting = model.jobs.values.reduce(into: [String: Int]()) { if let batch = $1.batch { $0[batch, default: 0] += 1 } }
        for (batch, count) in waiting {
            let jobs = try store.jobs.batch(named: batch)?.jobs
            try expect(jobs == count, "batch \(batch) has \(jobs ?? -1) jobs, not \(count)")
        }
    }

    /// The end of a sequence: with a worker that answers all, every job must come to an end; then all is removed.
    private func drain() async throws {
        note("drain")
        for queue in model.paused.sorted() { try await store.jobs.resume(queue: queue) }
        for index in workers.indices where workers[index].isAlive { kill(index) }
        workers = []
        let worker = try await store.claims.registerWorker()
        for _ in 0..<100 {
            _ = try await store.maintenance.rescue()
            while try await store.maintenance.cascade() {}
            while try await store.maintenance.fanOut() {}
            clock.advance(100_000_000)
            _ = try await store.maintenance.promote()
            let jobs = try await store.claims.claim(
                ClaimRequest(worker: worker.id, queues: nil, providers: ["local", "other"], slots: 100, lease: 60_000, isIdle: true)
            ).jobs
            for job in jobs {
                try expect(completions.insert(job.id).inserted, "\(jobName(job.id)) completes twice")
                let result = try await store.claims.settle(.answer(job))
                try expect(result == .settled(.completed), "\(jobName(job.id)): \(result)")
            }
            if jobs.isEmpty, try stored.cascades().isEmpty, try stored.jobs().allSatisfy({ $0.state?.isFinal == true }) { break }
        }
        let rows = try stored.jobs()
        try expect(rows.map(\.id) == model.ordered.map(\.id), "jobs are missing at the end")
        for row in rows where row.state?.isFinal != true { throw Mismatch(text: "\(jobName(row.id)) never ends: \(row)") }
        try await store.claims.unregisterWorker(worker.id)
        _ = try await store.jobs.delete(ids: rows.map(\.id).reversed())
        _ = try await store.cache.clear()
        let left = try stored.jobs()
        try expect(left.isEmpty, "not deleted: \(left)")
        for lane in try stored.lanes() {
            try expect(lane.counts.allSatisfy { $0 == 0 }, "the counts of \(lane.name) at the end: \(lane.counts)")
        }
    }
}
