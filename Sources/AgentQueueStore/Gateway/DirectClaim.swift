import AgentQueueModel

extension GatewayStore {
    /// Adds a request's jobs as ``submit(_:)`` does and, if no job waits before them and a call may begin, claims them in the same
    /// transaction. What it leaves behind is what a claim just after it would have left.
    /// - Parameter request: what the process can call. Jobs that find no slot wait for an ordinary claim.
    /// - Returns: the receipt, and the jobs that this process now has to call for.
    /// - Throws: as ``submit(_:)``.
    package func submit(
        _ submission: GatewaySubmission, claiming request: ClaimRequest
    ) async throws -> (ticket: GatewayTicket, claimed: [ClaimedJob]) {
        try await submit(submission) { transaction, ticket in
            guard ticket.attached == nil, let job = submission.jobs.first else { return (ticket, []) }
            let claimed = try transaction.claimDirectly(ticket, job, request)
            return (try transaction.seenAgain(ticket), claimed)
        }
    }
}

extension WriteTransaction {
    /// - Parameter job: one of the ticket's, which are all of one lane.
    fileprivate func claimDirectly(_ ticket: GatewayTicket, _ job: NewJob, _ request: ClaimRequest) throws -> [ClaimedJob] {
        // Embeddings share calls, and jobs for a batch wait for it: an ordinary claim sees to both.
        guard request.slots > 0, !job.kind.isBatchable, !job.usesBatchAPI, ticket.jobs.allSatisfy({ $0.state == .available }),
            request.serves(
                queue: job.queue, provider: job.target.provider, target: job.target.description, kind: job.kind.rawValue),
            let lane = try emptyLane(but: ticket, job)
        else { return [] }
        var claiming = ClaimBuilder(request)
        let first = (id: ticket.call, body: job.body)
        guard case .open(let opening) = try admit(lane, first, onlyQuarantined: false, upTo: job.priority, &claiming) else { return [] }
        let ids = ticket.jobs.prefix(min(opening.count, request.slots)).map(\.id)
        return try take(.these(ids), from: lane, opening, &claiming)
    }

    /// The lane of jobs that were just added; nil if other jobs are ready in it, if its queue is paused, or if a job waits to run alone.
    private func emptyLane(but ticket: GatewayTicket, _ job: NewJob) throws(SQLFailure) -> ReadyLane? {
        let id = try lane(queue: job.queue, target: job.target, kind: job.kind)
        let found = try statement(
            """
            SELECT served, (SELECT count(*) FROM (
                SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?1 AND state = 'available' AND crashes < 2 LIMIT ?2) AS ready),
            EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_suspect WHERE state = 'available' AND crashes >= 2), queues.key_id
            FROM lanes JOIN queues ON queues.name = lanes.queue WHERE lanes.id = ?1 AND paused_at IS NULL
            """
        ).bind(id).bind(ticket.jobs.count + 1).first {
            (served: $0.int64(0), ready: $0.int(1), hasQuarantined: $0.bool(2), key: $0.optionalInt64(3))
        }
        guard let found, found.ready == ticket.jobs.count, !found.hasQuarantined else { return nil }
        return ReadyLane(
            id: id, kind: job.kind, target: job.target, head: job.priority, hasQuarantined: false, served: found.served, key: found.key)
    }

    /// The receipt with the states that the jobs have now.
    fileprivate func seenAgain(_ ticket: GatewayTicket) throws(SQLFailure) -> GatewayTicket {
        var ticket = ticket
        for index in ticket.jobs.indices where !ticket.jobs[index].state.isFinal {
            let name = try statement("SELECT state FROM jobs WHERE id = ?").bind(ticket.jobs[index].id).first { $0.text(0) }
            if let state = name.flatMap(JobState.init(rawValue:)) { ticket.jobs[index].state = state }
        }
        return ticket
    }
}
