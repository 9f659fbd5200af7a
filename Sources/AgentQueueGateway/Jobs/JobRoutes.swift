import AgentQueueDialects
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import HTTPTypes

/// The queue itself for programs: jobs, runs and statistics, in the JSON that the command line prints.
struct JobRoutes: Sendable {
    let calls: CallHandler

    var store: QueueStore { calls.store }

    var routes: [Route] {
        [
            Route(.get, "/api/jobs", scope: .read) { [self] in try await list($0) },
            Route(.get, "/api/jobs/{id}", scope: .read) { [self] in try await show($0) },
            Route(.post, "/api/jobs", scope: .call, content: .json) { [self] in try await add($0) },
            Route(.post, "/api/jobs/{id}/cancel", scope: .operate) { [self] exchange in
                try await change(exchange, .cancelled) { try await store.jobs.cancel(ids: [$0], by: $1) }
            },
            Route(.post, "/api/jobs/{id}/retry", scope: .operate) { [self] exchange in
                let again = try Self.asksAgain(exchange.head)
                try await change(exchange, .retried) { id, actor in
                    try await again ? store.jobs.askAgain(ids: [id], by: actor) : store.jobs.retry(ids: [id], by: actor)
                }
            },
            Route(.get, "/api/stats", scope: .read) { [self] in try await statistics($0) },
            Route(.get, "/api/keys/self", scope: .call) { [self] in try await showKey($0) },
        ] + runRoutes
    }

    // MARK: Jobs

    /// A page ends with the job that makes it longer than this: requests and answers may be large.
    private static let pageBytes = 8 << 20
    /// How many jobs are in memory at once, as far as they are not yet text.
    private static let atOnce = 10
    /// How many ids a page looks through at most, and between two pauses in which other requests go on: without an index that helps, every
    /// job is read.
    private static let (looks, looksAtOnce): (Int64, Int64) = (100_000, 10_000)
    /// The same where the content of jobs decides.
    private static let (reads, readsAtOnce): (Int64, Int64) = (10_000, 500)

    private func list(_ exchange: Exchange) async throws {
        var selection = try JobSelection(exchange.head, now: store.clock.wall())
        try selection.restrict(to: exchange.head.caller, store)
        let (looks, atOnce) = selection.filter.readsContent ? (Self.reads, Self.readsAtOnce) : (Self.looks, Self.looksAtOnce)
        let newest = try store.jobs.list(JobFilter(), limit: 1).first?.id ?? 0
        var before = min(selection.before ?? .max, newest + 1)
        let first = max(1, before - looks)
        var body = Array(#"{"jobs":["#.utf8)
        var (count, isFull) = (0, false)
        page: while before > first {
            // One more than fits tells whether there is another page.
            let wanted = min(Self.atOnce, selection.limit + 1 - count)
            let lowest = max(first, before - atOnce)
            let jobs = try store.jobs.list(selection.filter, limit: wanted, before: before, from: lowest)
            for job in jobs {
                if count == selection.limit || body.count > Self.pageBytes {
                    isFull = true
                    break page
                }
                if count > 0 { body.append(UInt8(ascii: ",")) }
                body += JobJSON.job(job).utf8(sorted: false)
                before = job.id
                count += 1
            }
            if jobs.count < wanted { before = lowest }
            try Task.checkCancellation()
            await Task.yield()
        }
        body += Array(#"],"next_before":\#(isFull || first > 1 ? String(before) : "null")}"#.utf8)
        try await exchange.response.send(200, .json, body: body)
    }

    private func show(_ exchange: Exchange) async throws {
        var job = try job(exchange.head)
        exchange.notes.update { $0.job = job.id }
        if let time = try waitingTime(exchange.head), !job.state.isFinal {
            try calls.enter()
            defer { calls.leave() }
            try await hold(exchange, for: job.id, atMost: time)
            job = try self.job(exchange.head)
        }
        try await exchange.response.send(200, .json, body: try detail(of: job, for: exchange.head.caller).utf8(sorted: false))
    }

    /// Whether a completed job is to be asked anew.
    private static func asksAgain(_ head: RequestHead) throws(GatewayError) -> Bool {
        switch head.asked("again") {
        case nil, "false": false
        case "true": true
        default: throw GatewayError(.malformed, "again must be true or false.", param: "again")
        }
    }

    private func change(
        _ exchange: Exchange, _ verb: ChangeVerb, _ body: (_ id: Int64, _ actor: String) async throws -> [JobChange]
    ) async throws {
        let job = try job(exchange.head)
        exchange.notes.update { $0.job = job.id }
        guard let change = try await body(job.id, exchange.head.caller.name).first else { return }
        let outcome = ChangeOutcome(change, verb)
        guard outcome.isDone else { throw GatewayError(.malformed, "Job \(job.id) is \(outcome.sentence).") }
        try await exchange.response.send(200, .json, body: outcome.json.utf8(sorted: false))
    }

    /// The job that the path names.
    /// - Throws: `GatewayError` if there is none, or none that the key may know of.
    func job(_ head: RequestHead) throws -> Job {
        let text = head.parameters["id"] ?? ""
        guard let id = Int64(text), let job = try store.jobs.get(id), head.caller.sees(queue: job.queue) else {
            throw GatewayError(.notFound, "There is no job \(InvalidText.quoted(text)), or no longer.")
        }
        return job
    }

    /// As `show --json` prints it, and where it stands in its lane until it has ended.
    func detail(of job: Job, for caller: Caller) throws -> JSONValue {
        var wait = job.state == .pending ? try store.jobs.wait(of: job.id) : nil
        // It may be another key's.
        if !caller.seesAll, case .identicalJob? = wait { wait = .identicalJob(nil) }
        let timeline = JobTimeline(job, try store.jobs.history(of: job.id))
        let json = JobJSON.job(
            job, waitsFor: wait.map(WaitSentence.of), replaced: try store.jobs.replacedResult(of: job.id), timeline: timeline)
        guard !job.state.isFinal, let lane = try store.gateway.lane(of: job.id, policies: calls.policies, withPlace: true) else {
            return json
        }
        let place: JSONValue = [
            "ahead": lane.ahead.map { .integer(Int64($0)) } ?? .null, "ready": .integer(Int64(lane.ready)),
            "running": .integer(Int64(lane.running)), "paused": .bool(lane.isPaused), "opens_at": JobJSON.time(lane.opensAt),
        ]
        return .object((json.members ?? []) + [.init("lane", place)])
    }

    // MARK: Figures

    private func statistics(_ exchange: Exchange) async throws {
        var statistics = try store.maintenance.statistics()
        let seesAll = exchange.head.caller.seesAll
        if !seesAll { statistics.queues.removeAll { !exchange.head.caller.sees(queue: $0.name) } }
        let doubtful =
            seesAll && statistics.maybePaidCalls > 0 ? try store.providers.doubtfulCalls(limit: StatsJSON.mostDoubtful) : []
        var json = StatsJSON.statistics(statistics, doubtful: doubtful, isAlive: store.maintenance.isRunning)
        // The other figures are not counted by queue.
        if !seesAll { json = .object((json.members ?? []).filter { Self.countedByQueue.contains($0.key) }) }
        try await exchange.response.send(200, .json, body: json.utf8(sorted: false))
    }

    private static let countedByQueue: Set<String> = [
        "states", "queues", "targets", "usage", "cost_usd", "unpriced_calls", "saved_usd",
    ]

    private func showKey(_ exchange: Exchange) async throws {
        let caller = exchange.head.caller
        guard let key = try store.keys.find(caller.keyID) else {
            throw GatewayError(.notFound, "The request has no key: the gateway asks for none here.")
        }
        let use = caller.hasLimits ? try store.keys.use(of: key.id) : nil
        let json = KeyJSON.key(key, use: use, now: store.clock.wall())
        try await exchange.response.send(200, .json, body: json.utf8(sorted: false))
    }
}
