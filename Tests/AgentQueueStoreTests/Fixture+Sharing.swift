import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Jobs that can share a call.
extension Fixture {
    /// Adds `embed` jobs, each with a request of its own.
    func addEmbeds(_ inputs: [Int], of target: String = "local/e", _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        let start = try raw().int("SELECT coalesce(max(id), 0) FROM jobs") ?? 0
        return try await store.jobs.enqueue(
            inputs.enumerated().map { index, inputs in
                var job = NewJob.asking("\(start) \(1_000 + index)", of: target, kind: .embed)
                job.inputs = inputs
                configure(&job)
                return job
            }
        ).map(\.id)
    }

    func addEmbeds(_ count: Int, of target: String = "local/e", _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        try await addEmbeds(Array(repeating: 1, count: count), of: target, configure)
    }

    /// A round of claiming, of calls that may be shared.
    func sharing(
        _ slots: Int, inputs: Int = 10, bytes: Int = .max, open: [Int64: OpenCall] = [:], _ policies: CallPolicies = CallPolicies(),
        worker: Int64? = nil, isIdle: Bool = true
    ) async throws -> ClaimRound {
        var request = ClaimRequest(
            worker: worker ?? self.worker, queues: nil, providers: ["local", "other"], slots: slots, lease: 60_000, isIdle: isIdle,
            policies: policies)
        request.capacities = ["local": CallCapacity(inputs: inputs, bytes: bytes), "other": CallCapacity(inputs: 3)]
        request.openCalls = open
        return try await store.claims.claim(request)
    }

    /// What is set aside for: of each job, in their order, whether it is a call's first (1) or goes along (0).
    func heldRequests() throws -> [String] { try raw().rows("SELECT requests FROM reservations ORDER BY job_id").map { $0[0] } }
}

extension ClaimRound {
    /// The jobs by their leases' tokens: of those that share a call, one list.
    var calls: [[Int64]] {
        var calls: [(token: Int64, ids: [Int64])] = []
        for job in jobs {
            if let place = calls.firstIndex(where: { $0.token == job.lease.token }) {
                calls[place].ids.append(job.id)
            } else {
                calls.append((job.lease.token, [job.id]))
            }
        }
        return calls.map(\.ids)
    }
}

extension SettleRequest {
    /// The end of a job's part of a shared call; the first part tells of the call.
    static func part(_ job: ClaimedJob, _ place: Int, _ report: CallReport, _ policies: CallPolicies, now: Int64) -> SettleRequest {
        var report = report
        if place > 0 {
            report.isCompanion = true
            report.calls = 0
        }
        return .call(job, report, policies, now: now)
    }
}

extension Fixture {
    /// Ends a shared call, each of its jobs alike.
    @discardableResult
    func settleTogether(
        _ jobs: [ClaimedJob], _ policies: CallPolicies = CallPolicies(), _ report: (ClaimedJob) -> CallReport
    ) async throws -> [SettleResult] {
        try await store.claims.settle(parts(of: jobs, policies, report))
    }

    func parts(of jobs: [ClaimedJob], _ policies: CallPolicies = CallPolicies(), _ report: (ClaimedJob) -> CallReport) -> [SettleRequest] {
        jobs.enumerated().map { .part($1, $0, report($1), policies, now: clock.wall) }
    }
}

/// Identical jobs, which share one answer.
extension Fixture {
    /// Adds jobs that ask the same, one for each queue that is named.
    func twins(in queues: [String], _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        var ids: [Int64] = []
        for queue in queues {
            let id = try await add("the same") {
                $0.queue = queue
                configure(&$0)
            }
            ids.append(id)
        }
        return ids
    }

    /// Claims one job, which must be the one that was just added.
    func one(in ids: [Int64]) async throws -> ClaimedJob {
        let job = try await one()
        #expect([job.id] == ids)
        return job
    }
}
