import AgentQueueModel

@testable import AgentQueueStore

extension Fixture {
    func round(_ policies: CallPolicies, _ slots: Int = 100, worker: Int64? = nil, by store: QueueStore? = nil) async throws -> ClaimRound {
        try await (store ?? self.store).claims.claim(
            ClaimRequest(
                worker: worker ?? self.worker, queues: nil, providers: ["local", "other"], slots: slots, lease: 60_000, isIdle: true,
                policies: policies))
    }

    func claim(_ policies: CallPolicies, _ slots: Int = 100, worker: Int64? = nil, by store: QueueStore? = nil) async throws -> [ClaimedJob]
    {
        try await round(policies, slots, worker: worker, by: store).jobs
    }

    func add(_ count: Int, of target: String = "local/m", _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        let start = try raw().int("SELECT coalesce(max(id), 0) FROM jobs") ?? 0
        return try await store.jobs.enqueue(
            (0..<count).map { index in
                var job = NewJob.asking("\(start) \(index)", of: target)
                configure(&job)
                return job
            }
        ).map(\.id)
    }

    @discardableResult
    func settle(_ job: ClaimedJob, _ report: CallReport, _ policies: CallPolicies = CallPolicies()) async throws -> SettleResult {
        try await store.claims.settle(.call(job, report, policies, now: clock.wall))
    }

    @discardableResult
    func answer(_ job: ClaimedJob, cost: Double = 0, tokens: Int = 0, _ policies: CallPolicies = CallPolicies()) async throws
        -> SettleResult
    {
        try await settle(job, CallReport(target: job.route, usage: Usage(inputTokens: tokens), cost: cost), policies)
    }

    func state(of name: String) throws -> ProviderState? { try store.providers.states().first { $0.name == name } }

    func charges() throws -> [[String]] { try raw().rows("SELECT outcome, target, calls, cost_usd FROM charges ORDER BY id") }

    /// Whether something rings the bell.
    func rings(_ word: Bell.Word = .work, _ body: () async throws -> Void) async throws -> Bool {
        let before = store.bell.value(word)
        try await body()
        return store.bell.value(word) != before
    }
}

extension SettleRequest {
    static func call(_ job: ClaimedJob, _ report: CallReport, _ policies: CallPolicies = CallPolicies(), now: Int64) -> SettleRequest {
        var request: SettleRequest =
            if let failure = report.failure { .failure(job, failure, retryAfter: report.retryAfter, now: now) } else { .answer(job) }
        request.call = report
        request.policies = policies
        return request
    }
}

extension CallReport {
    /// A call that failed and was not charged for.
    static func failed(
        _ job: ClaimedJob, _ failure: FailureClass, retryAfter: Int64? = nil, scope: FailureScope = .target, calls: Int = 0
    ) -> CallReport {
        CallReport(target: job.route, calls: calls, failure: failure, retryAfter: retryAfter, scope: scope)
    }
}

extension CallPolicies {
    /// Every call is expected to use so many tokens, and to cost so much at worst.
    static func limiting(
        _ limits: [String: CallLimits], tokens: Int = 0, worst: Double = 0, routes: [String: Route] = [:],
        breaker: CircuitBreaker.Policy = CircuitBreaker.Policy()
    ) -> CallPolicies {
        CallPolicies(limits: limits, breaker: breaker, routes: routes) { _, _, _ in CallEstimate(inputTokens: tokens, worstCost: worst) }
    }
}

extension Target {
    static func named(_ text: String) -> Target { Target(text)! }
}
