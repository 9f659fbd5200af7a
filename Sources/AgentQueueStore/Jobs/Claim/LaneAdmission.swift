import AgentQueueModel

/// The target that admits a lane's next jobs.
struct Admitted {
    var target: Target
    /// How many calls it admits.
    var count: Int
    /// Whether the call is the probe that shows if the provider works again.
    var isProbe: Bool
    /// The expected use of the lane's next call; nil if admission did not need it.
    var estimate: CallEstimate?
}

enum LaneAdmission {
    case open(Admitted)
    /// None of the lane's targets admits a call now.
    case closed(WaitCause?)
    /// The lane has no more jobs up to the given priority.
    case exhausted
}

extension WriteTransaction {
    /// Finds the first of a lane's targets that admits a call. A fallback is asked only if the targets before it are failing or would keep
    /// the lane waiting longer than the route allows. Jobs that no target can ever afford are discarded on the way.
    /// - Parameter only: the job to admit; nil for the lane's next.
    func admit(
        _ lane: ReadyLane, _ only: (id: Int64, body: String)? = nil, onlyQuarantined: Bool, upTo priority: Int,
        _ claiming: inout ClaimBuilder
    ) throws -> LaneAdmission {
        while true {
            var candidate = only
            var refusal: String?
            var isClosed = false
            var cause: WaitCause?
            let route = claiming.request.policies.route(of: lane.target, lane.kind)
            targets: for target in route.targets where !claiming.request.excluded.contains(target.provider) {
                var gate = try gate(target, claiming.request.policies, estimate: nil)
                if let key = lane.key { gate = gate.and(try self.gate(key: key, estimate: nil)) }
                var estimate: CallEstimate?
                if case .open = gate, try needsEstimate(target, claiming.request.policies) || needsEstimate(key: lane.key) {
                    candidate = try candidate ?? head(of: lane.id, onlyQuarantined: onlyQuarantined, upTo: priority)
                    guard let candidate else { return .exhausted }
                    let expected = claiming.request.policies.expected(target, lane.kind, candidate.body)
                    estimate = expected
                    gate = try self.gate(target, claiming.request.policies, estimate: expected)
                    if let key = lane.key { gate = gate.and(try self.gate(key: key, estimate: expected)) }
                }
                switch gate {
                case .open(let count, let isProbe):
                    return .open(Admitted(target: target, count: count, isProbe: isProbe, estimate: estimate))
                case .never(let sentence):
                    refusal = refusal ?? sentence
                case .closed(let closure):
                    isClosed = true
                    cause = cause ?? closure.cause
                    claiming.noteOpening(closure.until)
                    if closure.isFault { continue }
                    // The target is only busy: ask the next one if waiting would take too long.
                    guard let patience = route.fallbackAfter else { break targets }
                    let end = (closure.waitingSince ?? now) + patience
                    guard let until = closure.until else {
                        guard now >= end else {
                            claiming.noteOpening(end)
                            break targets
                        }
                        continue
                    }
                    if until - now <= patience { break targets }
                }
            }
            guard !isClosed, let refusal, let candidate else { return .closed(cause) }
            try discard(candidate.id, lane, refusal)
            claiming.withdrawals -= 1
            guard only == nil, claiming.withdrawals > 0 else { return .closed(nil) }
        }
    }

    /// Returns the lane's next job.
    private func head(of lane: Int64, onlyQuarantined: Bool, upTo priority: Int) throws(SQLFailure) -> (id: Int64, body: String)? {
        let query =
            try onlyQuarantined
            ? statement(
                """
                SELECT id, (SELECT body FROM requests WHERE job_id = jobs.id) FROM jobs INDEXED BY jobs_suspect
                WHERE lane_id = ? AND state = 'available' AND crashes >= 2 AND priority <= ? ORDER BY priority, id LIMIT 1
                """)
            : statement(
                """
                SELECT id, (SELECT body FROM requests WHERE job_id = jobs.id) FROM jobs INDEXED BY jobs_available
                WHERE lane_id = ? AND state = 'available' AND crashes < 2 AND priority <= ? ORDER BY priority, id LIMIT 1
                """)
        return try query.bind(lane).bind(priority).first { ($0.int64(0), $0.text(1)) }
    }

    /// Discards a ready job that can never be paid for.
    private func discard(_ id: Int64, _ lane: ReadyLane, _ reason: String) throws {
        guard try endUnaffordable(id, lane: lane.id) else { return }
        try addError(job: id, attempt: 0, .quotaExhausted, reason)
        try recordFinish(of: id, .discarded)
    }
}
