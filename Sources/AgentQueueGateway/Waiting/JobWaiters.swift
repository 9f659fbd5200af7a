import AgentQueueModel
import AgentQueueStore
import Logging
import Synchronization

/// The requests in this process that wait for jobs to end. A waiter holds its job's id and state, not its answer.
///
/// Jobs of the own worker are reported here after their commit (``ended(_:_:)``). Those of other processes are found when the bell rings:
/// one query for all that are waited for, however many rings there were.
final class JobWaiters: Sendable {
    private struct State {
        var waiters: [Int64: [ObjectIdentifier: CallSignal]] = [:]
        /// The final states of jobs that are waited for.
        var ended: [Int64: JobState] = [:]
        /// How long the calls of this process for jobs that are waited for have taken.
        var calls: [Int64: Duration] = [:]
        /// Submissions under way. Their jobs may end before anyone can wait for them.
        var submissions = 0
        /// The jobs that have ended since the first of these submissions.
        var early: [Int64: JobState] = [:]
        /// The jobs that ended before that; only the latest are kept.
        var earlier: [Int64: JobState] = [:]
        /// The calls that have ended since, of jobs that nobody waits for yet.
        var earlyCalls: [Int64: Duration] = [:]
    }

    private let store: QueueStore
    private let logger: Logger
    private let state = Mutex(State())

    /// How many jobs that end during submissions are remembered at least. One that is forgotten is found at the next ring.
    private static let maxEarly = 5_000

    init(_ store: QueueStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Call before a job is added that is to be waited for, and ``endSubmission()`` after ``wait(for:_:)``: a job may end before its id is
    /// known to whoever adds it.
    func beginSubmission() { state.withLock { $0.submissions += 1 } }

    func endSubmission() {
        state.withLock { state in
            state.submissions -= 1
            if state.submissions == 0 { (state.early, state.earlier, state.earlyCalls) = ([:], [:], [:]) }
        }
    }

    /// Wakes the signal once a job has ended.
    func wait(for id: Int64, _ signal: CallSignal) {
        let hasEnded = state.withLock { state in
            state.waiters[id, default: [:]][ObjectIdentifier(signal)] = signal
            if let time = state.earlyCalls.removeValue(forKey: id) { state.calls[id, default: .zero] += time }
            guard let end = state.early[id] ?? state.earlier[id] else { return state.ended[id] != nil }
            state.ended[id] = end
            return true
        }
        if hasEnded { signal.call() }
    }

    /// Ends the wait.
    func stop(_ id: Int64, _ signal: CallSignal) {
        state.withLock { state in
            state.waiters[id]?[ObjectIdentifier(signal)] = nil
            guard state.waiters[id]?.isEmpty == true else { return }
            (state.waiters[id], state.ended[id], state.calls[id]) = (nil, nil, nil)
        }
    }

    /// The final state of a job that is waited for; nil while it has not ended.
    func end(of id: Int64) -> JobState? { state.withLock { $0.ended[id] } }

    /// The number of those who wait for a job.
    func count(of id: Int64) -> Int { state.withLock { $0.waiters[id]?.count ?? 0 } }

    /// The number of jobs that are waited for.
    var count: Int { state.withLock { $0.waiters.count } }

    /// A call of this process for jobs has ended.
    func called(for jobs: [Int64], took duration: Duration) {
        state.withLock { state in
            for job in jobs {
                if state.waiters[job] != nil {
                    state.calls[job, default: .zero] += duration
                } else if state.submissions > 0 {
                    if state.earlyCalls.count == Self.maxEarly { state.earlyCalls = [:] }
                    state.earlyCalls[job, default: .zero] += duration
                }
            }
        }
    }

    /// How long the calls of this process took for a job that is waited for; nil if there were none.
    func callTime(of id: Int64) -> Duration? { state.withLock { $0.calls[id] } }

    /// A job has ended.
    func ended(_ id: Int64, _ end: JobState) {
        let signals = state.withLock { state -> [CallSignal] in
            if state.submissions > 0 {
                if state.early.count == Self.maxEarly { (state.early, state.earlier) = ([:], state.early) }
                state.early[id] = end
            }
            guard let waiting = state.waiters[id] else { return [] }
            state.ended[id] = end
            return Array(waiting.values)
        }
        for signal in signals { signal.call() }
    }

    /// Finds the jobs that end in other processes, until the task is cancelled or the store closes.
    /// - Parameter pause: the shortest time between two queries.
    func run(pause shortest: @Sendable () -> Duration) async {
        let clock = ContinuousClock()
        for await _ in store.changes(of: .done) {
            let open = state.withLock { state in state.waiters.keys.filter { state.ended[$0] == nil } }
            guard !open.isEmpty else { continue }
            let begin = clock.now
            do {
                for (id, end) in try store.gateway.ended(among: open) { ended(id, end) }
            } catch {
                // The next ring, or the beat within a second, asks again.
                logger.warning("the jobs that requests wait for could not be read", metadata: ["error": "\(error)"])
            }
            // However many wait, the queries take a tenth of a processor at most.
            let pause = max(shortest(), begin.duration(to: clock.now) * 9)
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }
}
