import AgentQueueModel

/// Decides what a batch does next: pure functions, without access to a clock, the store or the provider.
extension ProviderBatch {
    /// The next step for the batch.
    /// - Parameter drains: whether the worker exits once nothing is left to do; a collecting batch then does not wait for jobs that will
    ///   not come.
    package func decide(_ policy: BatchPolicy, drains: Bool, now: Int64) -> BatchStep {
        let urgent = urgentAt ?? .max
        // A wait that is longer than any that is ever set was set before the clock went back: it is over.
        let longest = failures > 0 ? max(Self.longestPause, policy.poll * 5) : policy.poll * 5
        let dueAt = self.dueAt > now + longest ? now : self.dueAt
        switch state {
        case .collecting:
            if urgent <= now { return .releaseUrgent }
            if failures > 0, now < dueAt { return .wait(until: min(dueAt, urgent)) }
            let end = createdAt > now ? now : createdAt + policy.linger
            if isClosed || failures > 0 || now >= end || (drains && !hasMore) { return .submit }
            return .wait(until: min(end, urgent))
        case .submitting:
            return now < dueAt ? .wait(until: dueAt) : .reconcile
        case .submitted:
            if failures > 0, now < dueAt { return .wait(until: dueAt) }
            // A remote batch that may belong to another of ours must not be cancelled. Nor may its jobs be called individually while the
            // provider may be charging for them.
            if isCertain, !isWanted || urgent <= now { return .cancel }
            if now >= dueAt { return .poll }
            return .wait(until: isCertain ? min(dueAt, urgent) : dueAt)
        case .cancelling:
            return now < dueAt ? .wait(until: dueAt) : .poll
        case .harvesting:
            return now < dueAt ? .wait(until: dueAt) : .harvest
        case .returning:
            return .returnRest
        case .ended:
            return .wait(until: .max)
        }
    }

    /// The batch right before it is sent. It records the intent, so that after a crash it is not sent again without asking the provider
    /// first.
    package func submitting(_ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.state = .submitting
        batch.isClosed = true
        batch.submittingAt = submittingAt ?? now
        batch.unsettledUntil = now + 2 * policy.timeout(bytes: bytes)
        batch.dueAt = now
        return batch
    }

    /// The batch once the provider has it, or may have it.
    package func submitted(as remote: RemoteBatch, isCertain: Bool, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.state = .submitted
        batch.remoteID = remote.id
        batch.isCertain = isCertain
        batch.submittedAt = now
        batch.looks = 0
        batch.failures = 0
        batch.error = nil
        return batch.underWay(remote, policy, now: now)
    }

    /// The batch after a poll that found it in progress. Schedules the next poll, sooner if the batch is about to expire.
    package func underWay(_ remote: RemoteBatch, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.expiresAt = remote.expiresAt ?? expiresAt
        var wait = state == .cancelling ? policy.firstInterval : policy.interval(afterLooks: looks)
        if let end = batch.expiresAt, end > now { wait = min(wait, max(end - now, policy.firstInterval)) }
        batch.dueAt = now + wait
        batch.looks += 1
        batch.failures = 0
        batch.error = nil
        return batch
    }

    /// The batch after a failed submission.
    package func notSubmitted(_ failure: ModelFailure, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = putOff(failure, policy, now: now)
        guard failure.wasSent else {
            return failure.failure == .permanent ? batch.returning(.live, failure.message) : batch.collecting()
        }
        switch failure.failure {
        case .unreachable, .rateLimited, .authentication, .quotaExhausted:
            guard !failure.isMaybePaid else { break }
            return batch.collecting()
        case .permanent, .refused:
            // The failure concerns the batch as a whole: the server has no batches, or rejects this one. Each job is then called
            // individually.
            guard !failure.isMaybePaid else { break }
            return batch.returning(.live, "not taken as a batch, so called for alone: \(failure.message)")
        default:
            break
        }
        // The submission may have arrived all the same, or may still arrive.
        batch.unsettledUntil = now + policy.timeout(bytes: bytes)
        batch.dueAt = now
        return batch
    }

    /// Looks for this batch, which may have been sent, in the provider's list.
    /// - Parameters:
    ///   - found: the provider's batches that may be this one, the likeliest first.
    ///   - taken: the remote ids that belong to other batches, and whether that is certain.
    package func find(in found: [RemoteBatch], taken: [String: Bool], _ policy: BatchPolicy, now: Int64) -> BatchFinding {
        if let own = found.first(where: { $0.isCertain }) { return .found(own) }
        let candidates = found.filter { !excluded.contains($0.id) && $0.count ?? jobs == jobs }
        if let free = candidates.first(where: { taken[$0.id] == nil }) { return .found(free) }
        // A remote batch that another one has tentatively may turn out to be this one.
        let isOpen = candidates.contains { taken[$0.id] == false }
        let end = unsettledUntil ?? now
        guard !isOpen, now >= end else { return .open(until: isOpen ? now + policy.firstInterval : min(now + policy.firstInterval, end)) }
        return .absent
    }

    /// The batch after its remote batch turned out to belong to another: it is searched for again.
    package func excluding(now: Int64) -> ProviderBatch {
        var batch = self
        if let remoteID { batch.excluded.append(remoteID) }
        batch.state = .submitting
        batch.remoteID = nil
        batch.submittedAt = nil
        batch.expiresAt = nil
        batch.isCertain = true
        batch.looks = 0
        batch.dueAt = now
        return batch
    }

    /// The batch after a failure of the provider, with the next attempt scheduled.
    package func putOff(_ failure: ModelFailure, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.failures += 1
        batch.error = failure.message
        batch.dueAt = now + min(max(failure.retryAfter ?? 0, policy.backoff(afterFailures: batch.failures)), Self.longestPause)
        return batch
    }

    /// Whether a failure means that the batch is lost, because the provider no longer knows it.
    package func isLost(_ failure: ModelFailure, now: Int64) -> Bool {
        guard failure.failure == .permanent, failure.wasSent else { return false }
        return now > (expiresAt ?? (submittedAt ?? createdAt) + Self.longestLife)
    }

    /// The batch once it is over and its jobs without an answer are returned.
    package func returning(_ rest: Rest, _ error: String?) -> ProviderBatch {
        var batch = self
        batch.state = .returning
        batch.rest = rest
        batch.error = error
        return batch
    }

    /// The batch once it has ended at the provider and its results can be read.
    package func harvesting(now: Int64) -> ProviderBatch {
        var batch = self
        batch.state = .harvesting
        // Jobs without an answer are expected in a batch that was cancelled or has expired.
        batch.rest = state == .cancelling || now >= expiresAt ?? .max ? .again : .suspect
        batch.dueAt = now
        batch.failures = 0
        return batch
    }

    /// The batch as collecting again, because the provider has nothing of it.
    private func collecting() -> ProviderBatch {
        var batch = self
        batch.state = .collecting
        batch.submittingAt = nil
        batch.unsettledUntil = nil
        return batch
    }

    /// The longest delay, in ms, that a provider's Retry-After can impose.
    private static let longestPause: Int64 = 3_600_000
    /// How long a batch lives, in ms, if the provider does not say.
    private static let longestLife: Int64 = 86_400_000
}

/// The next step for a provider batch.
package enum BatchStep: Sendable, Equatable {
    /// Do nothing before that time (wall clock, ms).
    case wait(until: Int64)
    /// Release the jobs whose deadline is near, to be called individually.
    case releaseUrgent
    /// Send it.
    case submit
    /// Ask the provider whether it has the batch.
    case reconcile
    /// Ask the provider for its status.
    case poll
    /// Cancel it at the provider.
    case cancel
    /// Read its results.
    case harvest
    /// Return the jobs without an answer.
    case returnRest
}

/// The result of looking for a batch, which may have been sent, in the provider's list.
package enum BatchFinding: Sendable, Equatable {
    /// This may be the batch.
    case found(RemoteBatch)
    /// It is not there, and no request in flight can still create it: it may be sent again.
    case absent
    /// It is not there yet, or another batch has the only candidate: look again at that time (wall clock, ms).
    case open(until: Int64)
}

/// How a worker handles provider batches. Times are in ms.
package struct BatchPolicy: Sendable, Equatable {
    /// How long a batch collects jobs before it is sent; 60 s by default.
    package var linger: Int64
    /// The approximate interval between polls of a submitted batch: a quarter of it at first, growing to five times as much. 60 s by
    /// default.
    package var poll: Int64
    /// The timeout of a small request, including a submission of few bytes; 60 s by default.
    package var timeout: Int64
    /// The slowest transfer to allow for, in bytes per second: a large batch gets a longer timeout. 1 MiB by default.
    package var bytesPerSecond: Int
    /// How long ownership of a batch lasts without renewal; 30 s by default.
    package var lease: Int64

    package init(
        linger: Int64 = 60_000, poll: Int64 = 60_000, timeout: Int64 = 60_000, bytesPerSecond: Int = 1 << 20, lease: Int64 = 30_000
    ) {
        self.linger = linger
        self.poll = poll
        self.timeout = timeout
        self.bytesPerSecond = bytesPerSecond
        self.lease = lease
    }

    /// The timeout for sending or reading that many bytes.
    package func timeout(bytes: Int) -> Int64 { timeout + Int64(bytes) * 1_000 / Int64(max(1, bytesPerSecond)) }

    /// The wait before the next poll, after `looks` polls that found the batch in progress.
    func interval(afterLooks looks: Int) -> Int64 {
        var interval = firstInterval
        for _ in 0..<min(max(0, looks), 20) where interval < poll * 5 { interval += interval / 2 + 1 }
        return min(interval, poll * 5)
    }

    /// The wait after that many consecutive failures: doubled with each, up to five times `poll`.
    func backoff(afterFailures failures: Int) -> Int64 { min(firstInterval << Int64(min(max(0, failures - 1), 20)), poll * 5) }

    /// The shortest wait between two polls of a batch.
    var firstInterval: Int64 { max(1, poll / 4) }

    /// How far the clocks of the provider and of this machine may differ, in ms.
    package static let clockSkew: Int64 = 300_000

    /// When the deadline of a job made at `created` becomes near (wall clock, ms): before it by a tenth of the time in between, at least 1
    /// min and at most 1 h.
    static func nearTime(of deadline: Int64, created: Int64) -> Int64 {
        deadline - min(max((deadline - created) / 10, 60_000), 3_600_000)
    }
}
