import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

/// Random sequences of everything that takes from limits, and gives back; beside them, what the calls must have cost.
final class AccountingRun {
    struct Mismatch: Error {
        var text: String
    }

    /// A claimed job, and who claimed it.
    private struct Held {
        var job: ClaimedJob
        var worker: Int
        /// Where its call is noted as begun.
        var slot: Int?
        /// Whether its call has begun.
        var hasBegun = false
        /// Whether its call is one of several that took the place of one.
        var isPart = false
    }

    private let folder: String
    private let clock = TestClock()
    private let store: QueueStore
    private let raw: RawConnection
    private var workers: [WorkerRegistration] = []
    private var generator = SeededGenerator(seed: 0)
    private var held: [Held] = []
    private var lost: [ClaimedJob] = []
    /// What each call cost, by lease and target: one that is in doubt can still be set right.
    private var costs: [(lease: Lease, target: AgentQueueModel.Target, cost: Double, isDoubtful: Bool)] = []
    /// How often what happened.
    private(set) var counts: [String: Int] = [:]
    private(set) var steps: [String] = []

    private let policies: CallPolicies

    init() async throws {
        folder = try Folder.make()
        store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal, clock: clock.storeClock))
        raw = try RawConnection(folder + "/q.db")
        policies = CallPolicies(
            limits: [
                "local": CallLimits(requestsPerMinute: 40, concurrency: 4), "local/a": CallLimits(tokensPerMinute: 4_000, usdPerDay: 6),
                "other": CallLimits(usdPerDay: 9),
            ], breaker: CircuitBreaker.Policy(consecutive: 2, openFor: 2_000),
            routes: ["local/a": Route(targets: [.named("local/a"), .named("other/b")], fallbackAfter: 3_000)]
        ) { target, _, body in
            CallEstimate(inputTokens: body.utf8.count * 3, outputTokens: 50, worstCost: target.model == "a" ? 0.7 : 0.3)
        }
        for _ in 0..<2 { workers.append(try await store.claims.registerWorker()) }
    }

    func close() {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func run(seed: UInt64, looksOften: Bool = false) async throws {
        generator = SeededGenerator(seed: seed)
        steps = []
        for _ in 0..<random(25...50) {
            try await step()
            if random(1...8) == 1 || looksOften { try balance() }
        }
        // All is given back.
        for held in held {
            try await handBack(held)
            workers[held.worker].calls?.end(held.slot)
        }
        held = []
        try balance()
        let left = try raw.rows(
            "SELECT name, running, reserved_usd, trials FROM resources WHERE running <> 0 OR reserved_usd <> 0 OR trials <> 0")
        try expect(left.isEmpty && raw.int("SELECT count(*) FROM reservations") == 0, "left over: \(left)")
        _ = try await store.jobs.cancel(where: JobFilter())
        _ = try await store.jobs.delete(where: JobFilter())
        for name in ["local", "other"] { try await store.providers.resume(provider: name) }
        clock.advance(120_000)
    }

    // MARK: Steps

    private func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private func pick<T>(_ values: [T]) -> T { values[random(0...values.count - 1)] }
    private func note(_ text: String) { steps.append(text) }
    private func count(_ name: String) { counts[name, default: 0] += 1 }

    private func expect(_ isSo: Bool, _ text: @autoclosure () -> String) throws {
        guard isSo else { throw Mismatch(text: text()) }
    }

    private func step() async throws {
        switch random(1...100) {
        case ...18: try await enqueue()
        case ...42: try await claim()
        case ...56: try await settle()
        case ...66: try await settleTogether()
        case ...70: try await divide()
        case ...74: try await reroute()
        case ...79: try await settleLost()
        case ...84: try await handBackOne()
        case ...89: try await rescue()
        case ...97: try await turnClocks()
        case ...98: try await cancel()
        default:
            note("resume")
            try await store.providers.resume(provider: pick(["local", "other"]))
        }
    }

    private func enqueue() async throws {
        let target = pick(["local/a", "local/a", "local/b", "other/b"])
        let kind = random(1...2) == 1 ? JobKind.embed : .generate
        let budget = random(1...5) == 1 ? Double(random(1...30)) / 10 : nil
        let batch = random(1...3) == 1 ? "b\(random(0...1))" : nil
        note("enqueue 4 \(kind.rawValue) of \(target), batch \(batch ?? "-"), budget \(budget.map { "\($0)" } ?? "-")")
        for _ in 0..<4 {
            var job = NewJob.asking("\(random(0...1_000_000))", of: target, kind: kind)
            job.useCache = false
            job.maxAttempts = random(1...4)
            job.batch = batch
            job.budget = budget
            _ = try await store.jobs.enqueue(job)
        }
    }

    private func claim() async throws {
        let worker = random(0...workers.count - 1)
        var request = ClaimRequest(
            worker: workers[worker].id, queues: nil, providers: ["local", "other"], slots: random(1...5), lease: 20_000, isIdle: true,
            policies: policies)
        request.capacities = ["local": CallCapacity(inputs: 5), "other": CallCapacity(inputs: 3)]
        let round = try await store.claims.claim(request)
        note("claim by w\(worker): \(round.jobs.map { "\($0.id) → \($0.route)\($0.isProbe ? " (probe)" : "")" })")
        for job in round.jobs {
            if job.route != job.target { count("fallback") }
            if job.isProbe { count("probe") }
            var held = Held(job: job, worker: worker)
            if round.jobs.contains(where: { $0.id != job.id && Self.share($0, job) }) {
                count("shared")
                let earlier = self.held.first { Self.share($0.job, job) }
                let isFirst = earlier == nil
                held.hasBegun = earlier?.hasBegun ?? (random(1...3) > 1)
                if isFirst, held.hasBegun { held.slot = workers[worker].calls?.begin(token: job.lease.token) }
            } else if random(1...3) > 1 {
                held.slot = workers[worker].calls?.begin(job: job.id)
                held.hasBegun = true
            }
            self.held.append(held)
        }
    }

    /// Whether jobs were claimed for one call. Jobs of other kinds that were claimed in one round have one token too.
    private static func share(_ one: ClaimedJob, _ other: ClaimedJob) -> Bool {
        one.lease.token == other.lease.token && one.laneID == other.laneID && one.kind.isBatchable
    }

    /// The jobs of one call.
    private func companions(of held: Held) -> [Held] {
        guard held.job.kind.isBatchable else { return [held] }
        return self.held.filter { Self.share($0.job, held.job) && $0.job.route == held.job.route }
    }

    private func report(_ job: ClaimedJob) -> CallReport {
        var report = CallReport(target: job.route)
        report.usage = Usage(inputTokens: random(0...800), outputTokens: random(0...300))
        report.cost = Double(random(0...7)) / 10
        if random(1...4) == 1 {
            report.limits = ObservedLimits(
                requests: .init(limit: random(5...80), remaining: random(0...80), resetAfter: Int64(random(0...60_000))),
                tokens: random(0...1) == 0 ? nil : .init(limit: random(1_000...50_000), remaining: random(0...50_000)))
        }
        guard random(1...10) > 4 else { return report }
        let failures = FailureClass.allCases.filter { ![.crashed, .expired, .dependency].contains($0) }
        let failure = random(1...3) == 1 ? pick([.retryable, .timedOut]) : pick(failures)
        report.failure = failure
        report.scope = pick([.target, .target, .provider])
        if random(0...2) == 0 { report.retryAfter = Int64(random(0...9_000)) }
        if random(0...3) > 0 {
            report.calls = 0
            report.cost = 0
            report.usage = Usage()
        }
        if [.timedOut, .retryable, .cancelled, .shutdown].contains(failure), random(0...1) == 0 {
            report.isMaybePaid = true
            report.maybeCost = job.worstCost
        }
        return report
    }

    private func request(_ job: ClaimedJob, _ report: CallReport) -> SettleRequest {
        var request = SettleRequest.call(job, report, policies, now: clock.wall)
        if report.failure == .shutdown { request.error = nil }
        return request
    }

    private func cost(_ report: CallReport) -> Double? {
        if report.isMaybePaid { return max(report.cost ?? 0, report.maybeCost ?? 0) }
        // The part of a job that shared a call is on record for its tokens.
        let isPart = report.isCompanion && report.usage != Usage()
        return report.calls > 0 || report.cost ?? 0 > 0 || isPart ? report.cost ?? 0 : nil
    }

    private func noteCost(_ job: ClaimedJob, _ report: CallReport) {
        guard let cost = cost(report) else { return }
        costs.append((job.lease, report.target, cost, report.isMaybePaid))
    }

    private func settle() async throws {
        guard !held.isEmpty else { return try await claim() }
        let held = held.remove(at: random(0...held.count - 1))
        leave(held)
        let report = report(held.job)
        note(
            "settle \(held.job.id): \(report.failure?.rawValue ?? "answered"), \(report.scope), \(report.cost ?? -1), maybe \(report.maybeCost ?? -1)"
        )
        let result = try await store.claims.settle(request(held.job, report))
        try expect(result != .fenced, "fenced")
        count(report.failure == nil ? "answered" : "failed")
        noteCost(held.job, report)
    }

    /// A job's call has ended; the note of one that others share stays as long as they do.
    private func leave(_ held: Held) {
        guard let slot = held.slot else { return }
        if let other = self.held.firstIndex(where: { Self.share($0.job, held.job) && $0.hasBegun && $0.slot == nil }) {
            self.held[other].slot = slot
        } else {
            workers[held.worker].calls?.end(slot)
        }
    }

    /// What a shared call was: the first's report tells of it, and the others of their parts.
    private func reports(_ call: [Held]) -> [CallReport] {
        let first = report(call[0].job)
        return call.enumerated().map { place, held in
            guard place > 0 else { return first }
            var part = first
            part.isCompanion = true
            part.calls = 0
            part.maybeCost = first.isMaybePaid ? held.job.worstCost : 0
            part.cost = first.cost ?? 0 > 0 ? Double(random(0...7)) / 10 : 0
            part.limits = nil
            return part
        }
    }

    private func settleTogether() async throws {
        guard let one = held.filter({ $0.job.kind.isBatchable }).randomElement(using: &generator) else { return try await settle() }
        let call = companions(of: one)
        let reports = reports(call)
        note(
            "settle \(call.map(\.job.id)): \(reports[0].failure?.rawValue ?? "answered"), \(reports.compactMap(\.cost)), maybe \(reports[0].isMaybePaid)"
        )
        let results = try await store.claims.settle(zip(call, reports).map { request($0.job, $1) })
        try expect(!results.contains(.fenced), "fenced")
        let ids = Set(call.map(\.job.lease))
        held.removeAll { ids.contains($0.job.lease) }
        for held in call { leave(held) }
        for (held, report) in zip(call, reports) { noteCost(held.job, report) }
        count("settled together")
    }

    private func divide() async throws {
        let shared = held.filter { one in one.job.kind.isBatchable && companions(of: one).count > 1 }
        guard let one = shared.randomElement(using: &generator) else { return try await claim() }
        let call = companions(of: one)
        var reports = reports(call)
        for place in reports.indices { reports[place].failure = reports[place].failure ?? .permanent }
        let half = (call.count + 1) / 2
        let parts = try await store.claims.divide(
            zip(call, reports).map { request($0.job, $1) }, into: [call[..<half].map(\.job), call[half...].map(\.job)])
        note("divide \(call.map(\.job.id)) → \(parts.map { $0.map(\.id) }): \(reports.compactMap(\.cost)), maybe \(reports[0].isMaybePaid)")
        let kept = Set(parts.joined().map(\.id))
        for (held, report) in zip(call, reports) where kept.contains(held.job.id) { noteCost(held.job, report) }
        for index in held.indices where kept.contains(held[index].job.id) { held[index].isPart = true }
        // Those that are to be cancelled end with their part of the call.
        for (one, report) in zip(call, reports) where !kept.contains(one.job.id) {
            try expect(try await store.claims.settle(request(one.job, report)) != .fenced, "fenced")
            noteCost(one.job, report)
            held.removeAll { $0.job.lease == one.job.lease }
            leave(one)
        }
        count("divided")
    }

    private func settleLost() async throws {
        guard !lost.isEmpty else { return try await settle() }
        let job = lost.remove(at: random(0...lost.count - 1))
        let report = report(job)
        note("settle \(job.id), lost: \(report.failure?.rawValue ?? "answered"), \(report.cost ?? -1), maybe \(report.maybeCost ?? -1)")
        try expect(try await store.claims.settle(request(job, report)) == .fenced, "not fenced")
        count("fenced")
        // In doubt until now.
        if let index = costs.lastIndex(where: { $0.lease == job.lease && $0.target == job.route && $0.isDoubtful }) {
            costs.remove(at: index)
        }
        noteCost(job, report)
    }

    private func reroute() async throws {
        guard !held.isEmpty else { return try await claim() }
        let index = random(0...held.count - 1)
        let job = held[index].job
        var report = report(job)
        report.failure = report.failure ?? .invalidReply
        let candidates = [AgentQueueModel.Target.named("other/b"), .named("local/b"), .named("local/a")].shuffled(using: &generator)
        let next = try await store.claims.reroute(request(job, report), to: Array(candidates.prefix(random(1...3))))
        note("reroute \(job.id): \(report.failure?.rawValue ?? "") → \(next.map { "\($0.route)" } ?? "nowhere")")
        count(next == nil ? "not rerouted" : "rerouted")
        guard let next else { return }
        noteCost(job, report)
        held[index].job = next
    }

    private func handBackOne() async throws {
        guard !held.isEmpty else { return }
        let held = held.remove(at: random(0...held.count - 1))
        note("hand back \(held.job.id)")
        leave(held)
        try await handBack(held)
    }

    private func handBack(_ held: Held) async throws {
        try expect(try await store.claims.settle(.handBack(held.job, now: clock.wall)) != .fenced, "fenced")
    }

    private func cancel() async throws {
        guard let job = held.first?.job else { return }
        note("cancel \(job.id)")
        _ = try await store.jobs.cancel(ids: [job.id])
    }

    /// A worker dies, or only sleeps through its lease.
    private func rescue() async throws {
        if random(0...1) == 0 {
            let worker = random(0...workers.count - 1)
            note("w\(worker) dies")
            store.locks.unlock(worker: workers[worker].id)
        } else {
            note("the leases end")
            clock.boot += 20_001
        }
        try await rescueAll()
    }

    private func rescueAll() async throws {
        _ = try await store.maintenance.rescue()
        let running = Set(try raw.rows("SELECT id, token FROM jobs WHERE state = 'running'").map { $0.joined(separator: "/") })
        for held in held where !running.contains("\(held.job.id)/\(held.job.lease.token)") {
            count(held.hasBegun ? "rescued begun" : "rescued unbegun")
            lost.append(held.job)
            if held.hasBegun { costs.append((held.job.lease, held.job.route, held.job.worstCost, true)) }
            workers[held.worker].calls?.end(held.slot)
        }
        held.removeAll { !running.contains("\($0.job.id)/\($0.job.lease.token)") }
        let alive = Set(try store.maintenance.workers().map(\.id))
        for index in workers.indices where !alive.contains(workers[index].id) { workers[index] = try await store.claims.registerWorker() }
    }

    private func turnClocks() async throws {
        let step = pick([500, 2_000, 5_000, 60_000, 7 * 3_600_000] as [Int64])
        note("\(step) ms pass")
        clock.wall += step
        _ = try await store.maintenance.promote()
    }

    // MARK: The books

    private func balance() throws {
        let faults = try store.maintenance.check().faults
        try expect(faults.isEmpty, faults.joined(separator: "\n"))
        let expected = costs.reduce(0) { $0 + $1.cost }
        let found = Double(try raw.value("SELECT coalesce(sum(cost_usd), 0.0) FROM charges") ?? "") ?? -1
        try expect(abs(expected - found) < 1e-6, "charged \(found), not \(expected)")
        let rows = try raw.int("SELECT count(*) FROM charges") ?? -1
        try expect(Int(rows) == costs.count, "\(rows) charges, not \(costs.count)")
        // A limit on calls under way holds whatever happens, but for calls that were divided.
        let local = try raw.int("SELECT coalesce(sum(requests), 0) FROM reservations WHERE target LIKE 'local/%'") ?? 0
        let parts = held.count { $0.isPart && $0.job.route.provider == "local" }
        try expect(local <= 4 + parts, "\(local) calls at once, \(parts) of them parts")
        // What is set aside was within the day's money when it was: at most the cap.
        for state in try store.providers.states() {
            guard let cap = policies.limits[state.name]?.usdPerDay else { continue }
            try expect(state.reservedUSD <= cap + 1e-6, "\(state.name) holds \(state.reservedUSD)")
        }
    }
}
