import AgentQueueModel
import Synchronization

/// The jobs and calls under way in this process, and the means to stop them.
final class InFlight: Sendable {
    private struct Entry {
        var lease: Lease
        /// CLOCK_MONOTONIC, ns.
        var deadline: Int64
        var call: CallUnderWay?
        var reason: StopReason?
    }

    /// The slots that a provider's calls hold.
    private struct Held {
        var calls = 0
        /// When one of the calls ended last, or else when the first began (CLOCK_MONOTONIC, ns).
        var since: Int64
    }

    private struct State {
        var entries: [Int64: Entry] = [:]
        var calls = 0
        /// By provider.
        var held: [String: Held] = [:]
        /// When calls may begin again (CLOCK_MONOTONIC, ns), and how many pauses there were in a row.
        var pause: (until: Int64, count: Int64) = (0, 0)
        var isAlone = false
    }

    private let state = Mutex(State())

    /// The number of jobs under way.
    var count: Int { state.withLock { $0.entries.count } }

    /// The number of calls under way or about to start, which is the number of slots in use. Jobs that share a call use one slot.
    var calls: Int { state.withLock { $0.calls } }

    /// Takes a slot.
    /// - Parameter now: CLOCK_MONOTONIC, ns.
    func beginCall(of provider: String, now: Int64) {
        state.withLock { state in
            state.calls += 1
            state.held[provider, default: Held(since: now)].calls += 1
        }
    }

    /// Frees a slot.
    func endCall(of provider: String, now: Int64) {
        state.withLock { state in
            state.calls -= 1
            guard let held = state.held[provider], held.calls > 1 else {
                state.held[provider] = nil
                return
            }
            state.held[provider] = Held(calls: held.calls - 1, since: now)
        }
    }

    /// How long a provider may hold slots without ending a call before others get slots beyond the limit, in ns.
    static let patience: Int64 = 3_000_000_000

    /// The slots that are free. Where all are held by providers none of whose calls has ended for a while, there are some more for the
    /// others: a provider that hangs must not stop them until its calls time out.
    /// - Parameters:
    ///   - concurrency: how many slots there are.
    ///   - extra: how many more there may be.
    ///   - lingering: the slots of calls that have not begun.
    ///   - now: CLOCK_MONOTONIC, ns.
    func freeSlots(of concurrency: Int, extra: Int, lingering: Int, now: Int64) -> FreeSlots {
        state.withLock { state in
            guard now >= state.pause.until else { return FreeSlots(count: 0) }
            let used = state.calls + lingering
            if used < concurrency { return FreeSlots(count: concurrency - used) }
            guard used < concurrency + extra else { return FreeSlots(count: 0) }
            let stuck = state.held.filter { now - $0.value.since >= Self.patience }
            guard stuck.values.reduce(0, { $0 + $1.calls }) >= concurrency else { return FreeSlots(count: 0) }
            return FreeSlots(count: concurrency + extra - used, excluded: Set(stuck.keys))
        }
    }

    /// Lets no call begin for a while, because this process lacks what a call needs: a second, and twice as long each time, up to 30 s.
    /// - Parameter now: CLOCK_MONOTONIC, ns.
    /// - Returns: the pause in seconds; nil if there is one already.
    func pause(now: Int64) -> Int64? {
        state.withLock { state -> Int64? in
            guard now >= state.pause.until else { return nil }
            let isOver = now - state.pause.until > 60_000_000_000
            let count = isOver ? 0 : state.pause.count
            let seconds: Int64 = min(1 << min(count, 5), 30)
            state.pause = (now + seconds * 1_000_000_000, count + 1)
            return seconds
        }
    }

    /// Whether the job under way must run alone.
    var isAlone: Bool { state.withLock { $0.isAlone } }

    /// The leases to renew.
    var leases: [Lease] { state.withLock { $0.entries.values.map(\.lease) } }

    /// Adds claimed jobs before their tasks start, so that their leases are renewed from the beginning.
    func add(_ jobs: [ClaimedJob], alone: Bool, deadline: (ClaimedJob) -> Int64) {
        state.withLock { state in
            for job in jobs { state.entries[job.id] = Entry(lease: job.lease, deadline: deadline(job)) }
            if alone { state.isAlone = true }
        }
    }

    /// Extends a job's deadline, since its call failed and another one follows.
    func extend(_ lease: Lease, to deadline: Int64) {
        state.withLock { state in
            guard state.entries[lease.jobID]?.lease == lease else { return }
            state.entries[lease.jobID]?.deadline = deadline
        }
    }

    /// Runs a call for one or more jobs in its own task. The task is cancelled when all of the jobs are stopped, or with the caller's task.
    /// - Parameters:
    ///   - onLeave: called for a job that is stopped while others still wait for the call.
    ///   - meanwhile: runs in the caller's task until the call has ended.
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

    /// Registers a call. It is cancelled at once if all of its jobs have been stopped already.
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

    /// Why a job was stopped; nil if it was not.
    func reason(for lease: Lease) -> StopReason? { state.withLock { $0.entries[lease.jobID]?.reason } }

    /// Whether a job is under way under a lease.
    func holds(_ lease: Lease) -> Bool { state.withLock { $0.entries[lease.jobID]?.lease == lease } }

    /// Removes a settled job, unless it has been claimed again under another lease.
    func remove(_ lease: Lease) {
        state.withLock { state in
            guard state.entries[lease.jobID]?.lease == lease else { return }
            state.entries[lease.jobID] = nil
            if state.entries.isEmpty { state.isAlone = false }
        }
    }

    /// Stops a job. A call that other jobs share goes on without it. The first reason is kept.
    func stop(_ lease: Lease, _ reason: StopReason) {
        let call = state.withLock { state -> CallUnderWay? in
            guard state.entries[lease.jobID]?.lease == lease, state.entries[lease.jobID]?.reason == nil else { return nil }
            state.entries[lease.jobID]?.reason = reason
            return state.entries[lease.jobID]?.call
        }
        call?.leave(lease)
    }

    /// Stops all jobs.
    func stopAll(_ reason: StopReason) {
        for lease in leases { stop(lease, reason) }
    }

    /// Stops the jobs whose deadline was before `now` (CLOCK_MONOTONIC, ns).
    func stopOverdue(now: Int64) {
        let overdue = state.withLock { $0.entries.values.filter { $0.deadline < now }.map(\.lease) }
        for lease in overdue { stop(lease, .deadline) }
    }
}

/// How many more calls may begin.
struct FreeSlots: Equatable {
    var count: Int
    /// The providers that may have none of them, because they hold all others.
    var excluded: Set<String> = []
}

/// A call for one or more jobs. It is cancelled when the last of them has left.
final class CallUnderWay: Sendable {
    private let jobs: Mutex<Int>
    private let cancel: @Sendable () -> Void
    private let onLeave: @Sendable (Lease) -> Void

    /// - Parameter onLeave: called for a job that leaves while others stay.
    init(jobs: Int, cancel: @escaping @Sendable () -> Void, onLeave: @escaping @Sendable (Lease) -> Void) {
        self.jobs = Mutex(jobs)
        self.cancel = cancel
        self.onLeave = onLeave
    }

    /// A job no longer waits for the answer.
    func leave(_ lease: Lease) {
        let isLast = jobs.withLock { jobs in
            jobs -= 1
            return jobs == 0
        }
        if isLast { cancel() } else { onLeave(lease) }
    }
}

/// Why a job is stopped before its call has ended.
enum StopReason: Sendable {
    /// The job was cancelled by a user.
    case cancelled
    /// Another worker has the job.
    case lostLease
    /// The call took too long.
    case deadline
    /// The worker is stopping.
    case shutdown
}
