import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Why a job that a command waits for does not go on.
package struct WaitReason: Equatable, Sendable {
    /// Equal for two reasons that differ only in their times.
    package let cause: String
    /// Without a full stop.
    package let sentence: String
    /// Whether it may pass within moments, such as a limit: then it is worth a word only if it stays.
    package let isFleeting: Bool
    /// Whether it holds the job up, rather than that the job waits for its time, for another job or for a worker that is busy.
    package let isObstacle: Bool
    /// The paused queue that holds the job up, if that is the reason.
    package let pausedQueue: String?

    /// That no worker process lives.
    package static let noWorker = WaitReason("no worker is running; start 'agent-worker'", isFleeting: true)

    init(_ sentence: String, cause: String? = nil, isFleeting: Bool = false, isObstacle: Bool = true, pausedQueue: String? = nil) {
        self.cause = cause ?? sentence
        self.sentence = sentence
        self.isFleeting = isFleeting
        self.isObstacle = isObstacle
        self.pausedQueue = pausedQueue
    }
}

/// Diagnoses why jobs do not go on: no worker, or none for their queue, a paused queue, a provider that cannot be called, a limit, another job.
package struct WaitDiagnosis {
    private var calls: CallDiagnosis
    private let store: QueueStore
    private var now: Int64

    /// Makes no provider calls.
    package init(_ settings: Settings, environment: [String: String], _ store: QueueStore, now: Int64) async throws {
        self.store = store
        self.now = now
        calls = try await CallDiagnosis(settings, environment: environment, store, now: now)
    }

    /// The reasons why jobs are not running, each once. Empty if one of them runs, or if nothing holds them up.
    /// - Parameters:
    ///   - jobs: those that are waited for, or some of them.
    ///   - runsHere: whether this process runs them, so that no other worker is needed.
    package mutating func reasons(for jobs: [Job], runsHere: Bool = false, now: Int64) throws -> [WaitReason] {
        let open = jobs.filter { !$0.state.isFinal }
        if !open.isEmpty, let holder = WriteLockHolder.current(of: store.path), holder.isStopped {
            return [WaitReason("\(holder.description) and holds the database's write lock; \(holder.remedy)", cause: "write lock")]
        }
        guard !open.isEmpty, !open.contains(where: { $0.state == .running }) else { return [] }
        self.now = now
        try calls.refresh(store, now: now)
        let queues = try store.jobs.queues()
        let paused = Set(queues.filter { $0.pausedAt != nil }.map(\.name))
        var reasons: [WaitReason] = []
        for job in open {
            reasons += try ownReasons(of: job, paused, isOnly: open.count == 1)
            // What holds up the job that it waits for holds up both.
            guard job.state == .pending, case .jobs(let needed)? = try store.jobs.wait(of: job.id) else { continue }
            for other in try needed.compactMap({ try store.jobs.get($0) }) { reasons += try ownReasons(of: other, paused, isOnly: false) }
        }
        if !runsHere {
            let workers = try Self.workers(store)
            reasons += workers.isEmpty ? [.noWorker] : open.compactMap { unserved($0.queue, workers) }
        }
        if reasons.isEmpty, let job = open.first(where: { $0.state == .available }) { reasons += backlog(of: job, in: queues) }
        var causes: Set<String> = []
        return reasons.filter { causes.insert($0.cause).inserted }
    }

    /// Whether a worker process lives that serves a queue.
    package static func isServed(_ queue: String, _ store: QueueStore) throws -> Bool {
        try workers(store).contains { $0.serves(queue: queue) }
    }

    /// The worker processes that live, but for those that run a single job.
    private static func workers(_ store: QueueStore) throws -> [WorkerSummary] {
        try store.maintenance.workers().filter { $0.queues?.isEmpty != true && store.maintenance.isRunning($0) }
    }

    /// That none of the workers serves a queue.
    private func unserved(_ queue: String, _ workers: [WorkerSummary]) -> WaitReason? {
        guard !workers.contains(where: { $0.serves(queue: queue) }) else { return nil }
        return WaitReason("no running worker serves queue '\(queue)'; start 'agent-worker --queues \(queue)'", isFleeting: true)
    }

    private func ownReasons(of job: Job, _ paused: Set<String>, isOnly: Bool) throws -> [WaitReason] {
        switch job.state {
        case .available, .retryable:
            if paused.contains(job.queue) {
                return [WaitReason("queue '\(job.queue)' is paused", pausedQueue: job.queue)]
            }
            if let obstacle = calls.obstacle(to: job) {
                var isFleeting = false
                if case .full = obstacle { isFleeting = true }
                return [WaitReason(obstacle.sentence, cause: obstacle.cause, isFleeting: isFleeting)]
            }
            guard job.state == .retryable, isOnly else { return [] }
            let error = job.errors.last.map { ": \($0.message)" } ?? ""
            return [
                WaitReason(
                    "attempt \(job.attempt) failed; the next is due \(Figures.relative(job.scheduledAt, now: now))\(error)",
                    cause: "attempt \(job.attempt)", isObstacle: false)
            ]
        case .scheduled where isOnly:
            return [
                WaitReason(
                    "job \(job.id) is scheduled to run \(Figures.relative(job.scheduledAt, now: now))", cause: "scheduled",
                    isObstacle: false)
            ]
        case .pending where isOnly:
            guard let wait = try store.jobs.wait(of: job.id) else { return [] }
            return [WaitReason("job \(job.id) waits for \(WaitSentence.of(wait))", isFleeting: true, isObstacle: false)]
        case .pending, .scheduled, .running, .completed, .cancelled, .discarded: return []
        }
    }

    /// That others are ready too, and the workers are busy.
    private func backlog(of job: Job, in queues: [QueueSummary]) -> [WaitReason] {
        let others = queues.filter { $0.pausedAt == nil }.reduce(0) { $0 + $1.count(.available) } - 1
        let running = queues.reduce(0) { $0 + $1.count(.running) }
        guard others > 0 else { return [] }
        let ready = others == 1 ? "another job is ready too" : "\(Figures.count(others)) other jobs are ready too"
        return [WaitReason("\(ready), and \(Figures.count(running)) are running", cause: "backlog", isFleeting: true, isObstacle: false)]
    }
}
