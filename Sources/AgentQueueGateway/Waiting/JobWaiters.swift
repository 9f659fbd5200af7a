import AgentQueueModel
import AgentQueueStore
import Logging
import Synchronization

/// The requests in this process that wait for jobs to end. A waiter holds its job's id and state, not its answer.
///
/// Jobs of the own worker are reported here after their commit (``ended(_:_:)``). Those of other processes are found when the bell rings:
/// one query for all that are waited for, however many rings there were.
final class JobWaiters: Sendable {
    /// Those who wait for one job.
    private struct Waiting {
        var signals: [ObjectIdentifier: CallSignal] = [:]
        /// Those of them that are clients of the call, and no mere viewers.
        var clients: Set<ObjectIdentifier> = []
        /// The latest client that has waited, as the store counts them.
        var latest: Int64 = 0
        /// The job's final state.
        var end: JobState?
        /// How long the calls of this process for the job have taken; nil if there were none.
        var callTime: Duration?

        mutating func add(call duration: Duration) { callTime = (callTime ?? .zero) + duration }
    }

    /// A job's end, and its place among all that were heard of.
    private struct End {
        var state: JobState
        var number: Int
    }

    /// How many ends had been heard of when a submission began.
    struct Mark: Sendable {
        fileprivate var ends: Int
    }

    private struct State {
        var jobs: [Int64: Waiting] = [:]
        /// Submissions under way. Their jobs may end before anyone can wait for them.
        var submissions = 0
        var ends = 0
        /// The jobs that have ended since the first of these submissions.
        var early: [Int64: End] = [:]
        /// The jobs that ended before that; only the latest are kept.
        var earlier: [Int64: End] = [:]
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

    /// Call before a job is added that is to be waited for, and ``endSubmission()`` after ``wait(for:_:client:since:)``: a job may end
    /// before its id is known to whoever adds it.
    func beginSubmission() -> Mark {
        state.withLock { state in
            state.submissions += 1
            return Mark(ends: state.ends)
        }
    }

    func endSubmission() {
        state.withLock { state in
            state.submissions -= 1
            if state.submissions == 0 { (state.early, state.earlier, state.earlyCalls) = ([:], [:], [:]) }
        }
    }

    /// Wakes the signal once a job has ended.
    /// - Parameters:
    ///   - client: which of the call's clients waits; nil for one that only looks.
    ///   - mark: when the submission began; nil without one. What ended before may have been retried since.
    func wait(for id: Int64, _ signal: CallSignal, client: Int64? = nil, since mark: Mark? = nil) {
        let hasEnded = state.withLock { state in
            var waiting = state.jobs.removeValue(forKey: id) ?? Waiting()
            waiting.signals[ObjectIdentifier(signal)] = signal
            if let client {
                waiting.clients.insert(ObjectIdentifier(signal))
                waiting.latest = max(client, waiting.latest)
            }
            if let time = state.earlyCalls.removeValue(forKey: id) { waiting.add(call: time) }
            if let mark, let end = state.early[id] ?? state.earlier[id], end.number > mark.ends { waiting.end = end.state }
            state.jobs[id] = waiting
            return waiting.end != nil
        }
        if hasEnded { signal.call() }
    }

    /// Ends the wait.
    /// - Returns: the latest client that has waited, if this was the last of them.
    @discardableResult
    func stop(_ id: Int64, _ signal: CallSignal) -> Int64? {
        state.withLock { state in
            guard var waiting = state.jobs[id] else { return nil }
            waiting.signals[ObjectIdentifier(signal)] = nil
            let wasClient = waiting.clients.remove(ObjectIdentifier(signal)) != nil
            state.jobs[id] = waiting.signals.isEmpty ? nil : waiting
            return wasClient && waiting.clients.isEmpty ? waiting.latest : nil
        }
    }

    /// The final state of a job that is waited for; nil while it has not ended.
    func end(of id: Int64) -> JobState? { state.withLock { $0.jobs[id]?.end } }

    /// Whether anybody waits for a job who is no client of its call.
    func isViewed(_ id: Int64) -> Bool { state.withLock { $0.jobs[id].map { $0.signals.count > $0.clients.count } ?? false } }

    /// The latest client that has waited for a job, if a single one waits.
    func onlyClient(of id: Int64) -> Int64? { state.withLock { $0.jobs[id].flatMap { $0.clients.count == 1 ? $0.latest : nil } } }

    /// The number of jobs that are waited for.
    var count: Int { state.withLock { $0.jobs.count } }

    /// A call of this process for jobs has ended.
    func called(for jobs: [Int64], took duration: Duration) {
        state.withLock { state in
            for job in jobs {
                if state.jobs[job] != nil {
                    state.jobs[job]?.add(call: duration)
                } else if state.submissions > 0 {
                    if state.earlyCalls.count == Self.maxEarly { state.earlyCalls = [:] }
                    state.earlyCalls[job, default: .zero] += duration
                }
            }
        }
    }

    /// How long the calls of this process took for a job that is waited for; nil if there were none.
    func callTime(of id: Int64) -> Duration? { state.withLock { $0.jobs[id]?.callTime } }

    /// A job has ended.
    func ended(_ id: Int64, _ end: JobState) {
        let signals = state.withLock { state -> [CallSignal] in
            state.ends += 1
            if state.submissions > 0 {
                if state.early.count == Self.maxEarly { (state.early, state.earlier) = ([:], state.early) }
                state.early[id] = End(state: end, number: state.ends)
            }
            guard let waiting = state.jobs[id] else { return [] }
            state.jobs[id]?.end = end
            return Array(waiting.signals.values)
        }
        for signal in signals { signal.call() }
    }

    /// Finds the jobs that end in other processes, until the task is cancelled or the store closes.
    /// - Parameter pause: the shortest time between two queries.
    func run(pause shortest: @Sendable () -> Duration) async {
        let clock = ContinuousClock()
        for await _ in store.changes(of: .done) {
            let open = state.withLock { state in state.jobs.filter { $0.value.end == nil }.map(\.key) }
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
