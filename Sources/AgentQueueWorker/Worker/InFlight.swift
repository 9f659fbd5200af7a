import AgentQueueModel
import Synchronization

/// The calls of this process that are under way, and the means to stop each.
final class InFlight: Sendable {
    private struct Entry {
        var lease: Lease
        /// CLOCK_MONOTONIC, ns.
        var deadline: Int64
        var call: CallUnderWay?
        var reason: StopReason?
    }

    private struct State {
        var entries: [Int64: Entry] = [:]
        var calls = 0
        var isAlone = false
    }

    private let state = Mutex(State())

    /// How many jobs are under way.
    var count: Int { state.withLock { $0.entries.count } }

    /// How many calls are under way, or about to be: the slots taken. Jobs that share one take one.
    var calls: Int { state.withLock { $0.calls } }

    /// A slot is taken.
    func beginCall() { state.withLock { $0.calls += 1 } }

    /// A slot is free again.
    func endCall() { state.withLock { $0.calls -= 1 } }

    /// Whether the one job under way tolerates no other beside it.
    var isAlone: Bool { state.withLock { $0.isAlone } }

    /// The leases to renew.
    var leases: [Lease] { state.withLock { $0.entries.values.map(\.lease) } }

    /// Takes in claimed jobs, before their tasks start, so that they are counted and renewed from the first moment.
    func add(_ jobs: [ClaimedJob], alone: Bool, deadline: (ClaimedJob) -> Int64) {
        state.withLock { state in
            for job in jobs { state.entries[job.id] = Entry(lease: job.lease, deadline: deadline(job)) }
            if alone { state.isAlone = true }
        }
    }

    /// Gives a job more time: its call was answered by a failure, and another target is asked.
    func extend(_ lease: Lease, to deadline: Int64) {
        state.withLock { state in
            guard state.entries[lease.jobID]?.lease == lease else { return }
            state.entries[lease.jobID]?.deadline = deadline
        }
    }

    /// Carries out a call for a job, or for several that share it, in a task of its own: cancelled once none of them wants its answer any
    /// more, and with the caller's task.
    /// - Parameters:
    ///   - onLeave: told of a job that is stopped while others go on.
    ///   - meanwhile: what the caller does until the call has ended.
    func run<Value: Sendable>(
        for leases: [Lease], onLeave: @escaping @Sendable (Lease) -> Void = { _ in }, meanwhile: () async -> Void = {},
        _ body: @escaping @Sendable () async -> Value
    ) async -> Value {
        let task = Task { await body() }
        attach(CallUnderWay(jobs: leases.count, cancel: { task.cancel() }, onLeave: onLeave), to: leases)
        return await withTaskCancellationHandler {
            await meanwhile()
            return await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Notes a call; stops it at once if that was asked for, by all of its jobs, in the meantime.
    private func attach(_ call: CallUnderWay, to leases: [Lease]) {
        let stopped = state.withLock { state in
            leases.filter { lease in
                guard state.entries[lease.jobID]?.lease == lease else { return true }
                state.entries[lease.jobID]?.call = call
                return state.entries[lease.jobID]?.reason != nil
            }
        }
        for lease in stopped { call.leave(lease) }
    }

    /// Why a job's call was stopped; nil if it was not.
    func reason(for lease: Lease) -> StopReason? { state.withLock { $0.entries[lease.jobID]?.reason } }

    /// Whether a job is still under way under a lease.
    func holds(_ lease: Lease) -> Bool { state.withLock { $0.entries[lease.jobID]?.lease == lease } }

    /// Forgets a job that is settled. One that was lost, and claimed again under another lease, is still under way.
    func remove(_ lease: Lease) {
        state.withLock { state in
            guard state.entries[lease.jobID]?.lease == lease else { return }
            state.entries[lease.jobID] = nil
            if state.entries.isEmpty { state.isAlone = false }
        }
    }

    /// Stops a job's call; of one that others share, lets go of it. The first reason stands.
    func stop(_ lease: Lease, _ reason: StopReason) {
        let call = state.withLock { state -> CallUnderWay? in
            guard state.entries[lease.jobID]?.lease == lease, state.entries[lease.jobID]?.reason == nil else { return nil }
            state.entries[lease.jobID]?.reason = reason
            return state.entries[lease.jobID]?.call
        }
        call?.leave(lease)
    }

    /// Stops every call.
    func stopAll(_ reason: StopReason) {
        for lease in leases { stop(lease, reason) }
    }

    /// Stops the calls that should have ended before `now` (CLOCK_MONOTONIC, ns).
    func stopOverdue(now: Int64) {
        let overdue = state.withLock { $0.entries.values.filter { $0.deadline < now }.map(\.lease) }
        for lease in overdue { stop(lease, .deadline) }
    }
}

/// A call for one job, or for several that share it: stopped when none of them wants its answer any more.
final class CallUnderWay: Sendable {
    private let jobs: Mutex<Int>
    private let cancel: @Sendable () -> Void
    private let onLeave: @Sendable (Lease) -> Void

    /// - Parameter onLeave: told of a job that wants the answer no more while others do.
    init(jobs: Int, cancel: @escaping @Sendable () -> Void, onLeave: @escaping @Sendable (Lease) -> Void) {
        self.jobs = Mutex(jobs)
        self.cancel = cancel
        self.onLeave = onLeave
    }

    /// One of its jobs wants its answer no more.
    func leave(_ lease: Lease) {
        let isLast = jobs.withLock { jobs in
            jobs -= 1
            return jobs == 0
        }
        if isLast { cancel() } else { onLeave(lease) }
    }
}

/// Why a call is stopped before its end.
enum StopReason: Sendable {
    /// A person cancelled the job.
    case cancelled
    /// The job is another's by now.
    case lostLease
    /// It took too long.
    case deadline
    /// The worker stops.
    case shutdown
}
