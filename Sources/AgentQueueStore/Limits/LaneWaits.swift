import AgentQueueModel

/// Why no call of a provider or target may begin.
package struct WaitCause: Sendable, Equatable {
    /// What holds calls up.
    package enum Kind: String, Sendable, Equatable {
        /// A limit of calls, tokens or money is reached.
        case limit
        /// The provider asked to wait, refused the key, or is tried by one call at a time.
        case pause
        /// The circuit breaker is open.
        case breaker
    }

    package var kind: Kind
    /// `provider` or `provider/model`.
    package var name: String
    /// The limit, or the reason of the pause: a clause.
    package var detail: String
    /// When calls may begin again (wall clock, in milliseconds); nil if that depends on the end of a call.
    package var until: Int64?

    /// Creates a cause.
    package init(kind: Kind, name: String, detail: String, until: Int64? = nil) {
        self.kind = kind
        self.name = name
        self.detail = detail
        self.until = until
    }

    /// The cause as a clause.
    package var sentence: String {
        switch kind {
        case .limit: "\(name) has reached its limit of \(detail)"
        case .pause: "\(name) is left alone: \(detail)"
        case .breaker: "\(name) is left alone: \(detail)"
        }
    }
}

/// Which lanes a worker's claims have found closed, why and since when. A worker hands it from one claim to the next, so that a job that
/// is claimed after a wait has the wait recorded.
package struct LaneWaits: Sendable, Equatable {
    /// A lane that is closed, or that admits its calls one by one as a limit allows.
    package struct Wait: Sendable, Equatable {
        package var target: Target
        package var cause: WaitCause
        /// Wall clock, in milliseconds.
        package var since: Int64
    }

    /// By the lane's id.
    package private(set) var lanes: [Int64: Wait] = [:]

    /// Creates an empty record.
    package init() {}

    subscript(lane: Int64) -> Wait? { lanes[lane] }

    /// Records that a lane admits no call. A wait goes on while its lane admits fewer calls than it has jobs.
    mutating func close(_ lane: ReadyLane, _ cause: WaitCause?, now: Int64) {
        guard let cause else { return }
        lanes[lane.id] = Wait(target: lane.target, cause: cause, since: lanes[lane.id]?.since ?? now)
    }

    /// Records that nothing holds a lane up.
    mutating func open(_ lane: Int64) { lanes[lane] = nil }

    /// Forgets the lanes that have no ready jobs any more.
    mutating func keep(_ ready: [ReadyLane]) {
        guard !lanes.isEmpty else { return }
        lanes = lanes.filter { lane in ready.contains { $0.id == lane.key } }
    }
}

extension WriteTransaction {
    /// A wait that was shorter is not worth a row, in milliseconds.
    private static let shortestWait: Int64 = 1_000

    /// Records why claimed jobs have waited: for their lane, or for their queue.
    func recordWaits(of jobs: [ClaimedJob], _ lane: ReadyLane, _ wait: LaneWaits.Wait?) throws(SQLFailure) {
        guard wait != nil || lane.lastPause != nil else { return }
        for job in jobs where now - job.readySince > Self.shortestWait {
            if let pause = lane.lastPause {
                try recordWait(
                    of: job.id, from: max(pause.lowerBound, job.readySince), to: pause.upperBound, "queue", "the queue was paused")
            }
            if let wait {
                try recordWait(of: job.id, from: max(wait.since, job.readySince), to: now, wait.cause.kind.rawValue, wait.cause.sentence)
            }
        }
    }

    /// Records a wait that has ended, if it was long enough.
    func recordWait(of job: Int64, from began: Int64, to ended: Int64, _ reason: String, _ detail: String) throws(SQLFailure) {
        guard ended - began > Self.shortestWait else { return }
        try statement(
            "INSERT INTO job_waits (job_id, began_at, ended_at, reason, detail) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ).bind(job).bind(began).bind(ended).bind(reason).bind(detail).run()
    }
}
