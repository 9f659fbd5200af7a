import AgentQueueModel

/// Whether a lane's next call may begin, and if not, why.
package struct LaneStatus: Sendable, Equatable {
    /// Whether the queue is paused.
    package var isPaused = false
    /// Why no call may begin; nil if one may, as far as is known.
    package var cause: WaitCause?
    /// Whether the provider is failing, rather than busy.
    package var isFault = false
    /// Whether too little is left of the budget of the jobs' key.
    package var isOverBudget = false
    /// When calls may begin again (wall clock, in milliseconds); nil if nobody knows, or if they may.
    package var opensAt: Int64?
    /// How many jobs are ready to be called for.
    package var ready = 0
    package var running = 0
    /// For a job that is ready, if it was asked for: how many jobs of the lane come before it, at most ``mostAhead``.
    package var ahead: Int?

    package static let mostAhead = 10_000

    /// Whether a call may begin now.
    package var isOpen: Bool { !isPaused && cause == nil }
}

extension GatewayStore {
    /// Returns the status of the lane that a job would go to.
    /// - Parameters:
    ///   - job: the job; nil for what concerns every job of the lane.
    ///   - policies: as the workers have them.
    package func lane(queue: String, target: Target, kind: JobKind, policies: CallPolicies) throws -> LaneStatus {
        try read { reader in
            var status = try LaneStatus(target, kind, policies, reader, key: Self.key(ofQueue: queue, reader), now: clock.wall())
            try reader.statement(
                """
                SELECT available, running, (SELECT paused_at FROM queues WHERE name = lanes.queue) FROM lanes
                WHERE queue = ? AND target = ? AND kind = ?
                """
            ).bind(queue).bind(target.description).bind(kind.rawValue).eachRow { row in
                (status.ready, status.running, status.isPaused) = (row.int(0), row.int(1), !row.isNull(2))
            }
            return status
        }
    }

    /// Returns the status of a job's lane; nil if there is no such job.
    /// - Parameters:
    ///   - policies: as the workers have them.
    ///   - withPlace: whether to count the jobs before it, which takes longer the more there are.
    package func lane(of job: Int64, policies: CallPolicies, withPlace: Bool = false) throws -> LaneStatus? {
        try read { reader in
            let found = try reader.statement(
                """
                SELECT lanes.id, target, kind, available, running, (SELECT paused_at FROM queues WHERE name = lanes.queue), priority,
                CASE WHEN jobs.state = 'available' THEN 1 ELSE 0 END, queue
                FROM jobs JOIN lanes ON lanes.id = lane_id WHERE jobs.id = ?
                """
            ).bind(job).first { row in
                (
                    lane: row.int64(0), target: Target(row.text(1)), kind: JobKind(rawValue: row.text(2)), ready: row.int(3),
                    running: row.int(4), isPaused: !row.isNull(5), priority: row.int(6), isReady: row.bool(7), queue: row.text(8)
                )
            }
            guard let found, let target = found.target, let kind = found.kind else { return nil }
            let key = try Self.key(ofQueue: found.queue, reader)
            var estimate: CallEstimate?
            if let key, key.limits.hasBudget || key.limits.tokensPerMinute != nil {
                let body = try reader.statement("SELECT body FROM requests WHERE job_id = ?").bind(job).first { $0.text(0) }
                estimate = body.map { policies.expected(target, kind, $0) }
            }
            var status = try LaneStatus(target, kind, policies, reader, key: key, estimate: estimate, now: clock.wall())
            (status.ready, status.running, status.isPaused) = (found.ready, found.running, found.isPaused)
            guard withPlace, found.isReady else { return status }
            status.ahead = try reader.statement(
                """
                SELECT count(*) FROM (
                    SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?1 AND state = 'available' AND crashes < 2
                    AND (priority < ?2 OR priority = ?2 AND id < ?3) LIMIT ?4) AS ahead
                """
            ).bind(found.lane).bind(found.priority).bind(job).bind(LaneStatus.mostAhead).first { $0.int(0) }
            return status
        }
    }
}

extension GatewayStore {
    /// The key whose limits hold for a queue's jobs.
    fileprivate static func key(ofQueue queue: String, _ reader: ReadConnection) throws(SQLFailure) -> QuotaLedger.Key? {
        let id = try reader.statement("SELECT key_id FROM queues WHERE name = ?").bind(queue).first { $0.optionalInt64(0) } ?? nil
        return try id.flatMap { id throws(SQLFailure) in
            try reader.statement(QuotaLedger.Key.byID).bind(id).first { QuotaLedger.Key($0) }
        }
    }
}

extension LaneStatus {
    /// The status of a target and its fallbacks, as a claim would find it.
    /// - Parameter estimate: what a call will use of its key's limits; nil for one of no particular size.
    fileprivate init(
        _ target: Target, _ kind: JobKind, _ policies: CallPolicies, _ reader: ReadConnection, key: QuotaLedger.Key?,
        estimate: CallEstimate? = nil, now: Int64
    ) throws(SQLFailure) {
        self.init()
        let quotas = Dictionary(try ProviderQuota.all(reader, now: now).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        if let key {
            let name = ProviderQuota.name(ofKey: key.name)
            var quota = quotas[name] ?? ProviderQuota(name: name)
            quota.configure(key.limits.calls, now: now)
            if case .closed(let closure) = quota.gate(key, estimate: estimate, now: now) {
                (cause, opensAt) = (closure.cause, closure.until)
                var unpaid = key
                (unpaid.limits.usdPerDay, unpaid.limits.usdTotal) = (nil, nil)
                if case .open = quota.gate(unpaid, estimate: estimate, now: now) { isOverBudget = true }
                return
            }
        }
        let route = policies.route(of: target, kind)
        var times: [Int64?] = []
        for target in route.targets {
            var gate = Admission.open(count: .max, isProbe: false)
            for name in target.resourceNames {
                let limits = policies.limits(of: name)
                var quota = quotas[name] ?? ProviderQuota(name: name)
                quota.configure(limits, now: now)
                quota.followRefusals(limits, now: now)
                gate = gate.and(quota.gate(limits, estimate: nil, now: now))
            }
            guard case .closed(let closure) = gate else {
                self.init()
                return
            }
            cause = cause ?? closure.cause
            if times.isEmpty { isFault = closure.isFault }
            times.append(closure.until)
            guard !closure.isFault else { continue }
            // A target that is only busy is waited for, unless that would take too long.
            guard let patience = route.fallbackAfter else { break }
            if (closure.until ?? closure.waitingSince ?? now) - now <= patience { break }
        }
        // One that opens when a call ends may do so at any moment.
        opensAt = times.contains { $0 == nil } ? nil : times.compactMap(\.self).min()
    }
}
