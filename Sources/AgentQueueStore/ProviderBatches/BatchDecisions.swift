import AgentQueueModel

/// What comes next: values in, values out. Nothing here looks at a clock, the store or the provider.
extension ProviderBatch {
    /// What is to be done for it now.
    /// - Parameter drains: whether the worker ends once nothing is left to do, so that no one waits for company in vain.
    package func decide(_ policy: BatchPolicy, drains: Bool, now: Int64) -> BatchStep {
        let urgent = urgentAt ?? .max
        switch state {
        case .collecting:
            if urgent <= now { return .releaseUrgent }
            if failures > 0, now < dueAt { return .wait(until: min(dueAt, urgent)) }
            let end = createdAt + policy.linger
            if isClosed || failures > 0 || now >= end || (drains && !hasMore) { return .submit }
            return .wait(until: min(end, urgent))
        case .submitting:
            return now < dueAt ? .wait(until: dueAt) : .reconcile
        case .submitted:
            if failures > 0, now < dueAt { return .wait(until: dueAt) }
            // One that may be another's is not ours to cancel; and its jobs are not called for while they may be paid for there.
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

    /// As it is right before it is sent: with the intent, so that no crash can make it be sent again unasked.
    package func submitting(_ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.state = .submitting
        batch.isClosed = true
        batch.submittingAt = submittingAt ?? now
        batch.unsettledUntil = now + 2 * policy.timeout(bytes: bytes)
        batch.dueAt = now
        return batch
    }

    /// As it is once it is known to the provider, or may be.
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

    /// After it was found under way: to be looked at again later, and rather soon about its end.
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

    /// After a submission that failed.
    package func notSubmitted(_ failure: ModelFailure, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = putOff(failure, policy, now: now)
        guard failure.wasSent else {
            return failure.failure == .permanent ? batch.returning(.live, failure.message) : batch.collecting()
        }
        switch failure.failure {
        case .rateLimited, .authentication, .quotaExhausted:
            guard !failure.isMaybePaid else { break }
            return batch.collecting()
        case .permanent, .refused:
            // Said of the whole: a server without batches, or one that will not have this. Each job finds out for itself.
            guard !failure.isMaybePaid else { break }
            return batch.returning(.live, "not taken as a batch, so called for alone: \(failure.message)")
        default:
            break
        }
        // It may be there for all that, or still arrive.
        batch.unsettledUntil = now + policy.timeout(bytes: bytes)
        batch.dueAt = now
        return batch
    }

    /// What the provider's list says of one that was sent, perhaps.
    /// - Parameters:
    ///   - found: the provider's batches that may be it, the likeliest first.
    ///   - taken: the remote ids that other batches have, and whether those are certain.
    package func find(in found: [RemoteBatch], taken: [String: Bool], _ policy: BatchPolicy, now: Int64) -> BatchFinding {
        if let own = found.first(where: { $0.isCertain }) { return .found(own) }
        let candidates = found.filter { !excluded.contains($0.id) && $0.count ?? jobs == jobs }
        if let free = candidates.first(where: { taken[$0.id] == nil }) { return .found(free) }
        // What another has, and may have to give back, may be ours.
        let isOpen = candidates.contains { taken[$0.id] == false }
        let end = unsettledUntil ?? now
        guard !isOpen, now >= end else { return .open(until: isOpen ? now + policy.firstInterval : min(now + policy.firstInterval, end)) }
        return .absent
    }

    /// The provider's batch is another's: this one's is still to be found.
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

    /// After a failure of the provider: to be looked at again later.
    package func putOff(_ failure: ModelFailure, _ policy: BatchPolicy, now: Int64) -> ProviderBatch {
        var batch = self
        batch.failures += 1
        batch.error = failure.message
        batch.dueAt = now + min(max(failure.retryAfter ?? 0, policy.backoff(afterFailures: batch.failures)), Self.longestPause)
        return batch
    }

    /// Whether a failure means that nothing will ever come of it: the provider does not know it any more.
    package func isLost(_ failure: ModelFailure, now: Int64) -> Bool {
        guard failure.failure == .permanent, failure.wasSent else { return false }
        return now > (expiresAt ?? (submittedAt ?? createdAt) + Self.longestLife)
    }

    /// It has ended, and those without an answer go back.
    package func returning(_ rest: Rest, _ error: String?) -> ProviderBatch {
        var batch = self
        batch.state = .returning
        batch.rest = rest
        batch.error = error
        return batch
    }

    /// It has ended at the provider, and its answers can be taken in.
    package func harvesting(now: Int64) -> ProviderBatch {
        var batch = self
        batch.state = .harvesting
        // Of one that was given up, or ran out of time, jobs without an answer were to be expected.
        batch.rest = state == .cancelling || now >= expiresAt ?? .max ? .again : .suspect
        batch.dueAt = now
        batch.failures = 0
        return batch
    }

    /// Nothing of it is at the provider.
    private func collecting() -> ProviderBatch {
        var batch = self
        batch.state = .collecting
        batch.submittingAt = nil
        batch.unsettledUntil = nil
        return batch
    }

    /// The longest that a provider's word may put it off, in ms.
    private static let longestPause: Int64 = 3_600_000
    /// How long a batch lives whose provider does not say, in ms.
    private static let longestLife: Int64 = 86_400_000
}

/// What is to be done for a provider's batch next.
package enum BatchStep: Sendable, Equatable {
    /// Nothing, before that time (wall clock, ms).
    case wait(until: Int64)
    /// Its jobs whose deadline is near are to be called for alone.
    case releaseUrgent
    /// It is to be sent.
    case submit
    /// The provider is to be asked whether it has it.
    case reconcile
    /// The provider is to be asked how it stands.
    case poll
    /// The provider is to be told that it is given up.
    case cancel
    /// Its answers are to be taken in.
    case harvest
    /// Those without an answer are to go back.
    case returnRest
}

/// What a look at the provider's list of batches came to, for one that was sent, perhaps.
package enum BatchFinding: Sendable, Equatable {
    /// This may be it.
    case found(RemoteBatch)
    /// It is not there, and no request can still bring it there: it may be sent again.
    case absent
    /// It is not there, or another batch has what may be it: to be looked for again at that time (wall clock, ms).
    case open(until: Int64)
}

/// How a provider's batches are looked after. Times are in ms.
package struct BatchPolicy: Sendable, Equatable {
    /// How long a batch waits for company; 60 s by default.
    package var linger: Int64
    /// How often a batch that is under way is asked for, about: a quarter of it at first, growing to five times as much. 60 s by
    /// default.
    package var poll: Int64
    /// How long an answer to a small request may take, a submission of few bytes included; 60 s by default.
    package var timeout: Int64
    /// How many bytes are sent, or read, in a second at least: a large batch may take longer. 1 MiB by default.
    package var bytesPerSecond: Int
    /// How long the right to look after a batch lasts without renewal; 30 s by default.
    package var lease: Int64

    /// Makes a policy.
    package init(
        linger: Int64 = 60_000, poll: Int64 = 60_000, timeout: Int64 = 60_000, bytesPerSecond: Int = 1 << 20, lease: Int64 = 30_000
    ) {
        self.linger = linger
        self.poll = poll
        self.timeout = timeout
        self.bytesPerSecond = bytesPerSecond
        self.lease = lease
    }

    /// How long sending, or reading, so many bytes may take.
    package func timeout(bytes: Int) -> Int64 { timeout + Int64(bytes) * 1_000 / Int64(max(1, bytesPerSecond)) }

    /// The wait before a batch is asked for again that was found under way so often.
    func interval(afterLooks looks: Int) -> Int64 {
        var interval = firstInterval
        for _ in 0..<min(max(0, looks), 20) where interval < poll * 5 { interval += interval / 2 + 1 }
        return min(interval, poll * 5)
    }

    /// The wait after so many failures in a row: doubled with each, up to five polls.
    func backoff(afterFailures failures: Int) -> Int64 { min(firstInterval << Int64(min(max(0, failures - 1), 20)), poll * 5) }

    /// The shortest wait between two looks at a batch.
    var firstInterval: Int64 { max(1, poll / 4) }

    /// The clocks of the provider and of this machine may differ by that, in ms.
    package static let clockSkew: Int64 = 300_000

    /// From when a deadline is near (wall clock, ms), of a job made at `created`: a tenth of the time between, at least 1 min and at
    /// most 1 h, before it.
    static func nearTime(of deadline: Int64, created: Int64) -> Int64 {
        deadline - min(max((deadline - created) / 10, 60_000), 3_600_000)
    }
}
