import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Glibc

/// Explains waits for jobs whose provider is not called.
enum ProviderHint {
    /// Maximum number of jobs to examine; many wait for the same reason.
    private static let mostJobs = 20

    /// Reports each unavailable or paused provider once, on standard error, and lets the wait continue: a worker may run with
    /// another environment.
    static func say(for ids: some Sequence<Int64>, _ store: QueueStore, _ session: Session) async throws {
        try await say(for: try ids.prefix(mostJobs).compactMap { try store.jobs.get($0) }, store, session)
    }

    static func say(forBatch name: String, _ store: QueueStore, _ session: Session) async throws {
        try await say(for: try store.jobs.list(JobFilter(states: waiting, batch: name), limit: mostJobs), store, session)
    }

    private static let waiting: [JobState] = [.available, .retryable, .scheduled, .pending]

    private static func say(for jobs: [Job], _ store: QueueStore, _ session: Session) async throws {
        let jobs = jobs.filter { waiting.contains($0.state) }
        guard !jobs.isEmpty else { return }
        let outlook = try await CallDiagnosis(session.settings, environment: session.environment, store, now: Now.milliseconds)
        var said: Set<String> = []
        for job in jobs {
            switch outlook.obstacle(to: job) {
            case .unavailable(let sentence), .paused(let sentence):
                if said.insert(sentence).inserted { Diagnostics.say("waiting, but \(sentence)") }
            case .full, nil: break
            }
        }
    }
}

/// Explains waits when no worker is running.
enum WorkerHint {
    /// Only on a terminal: a script may start its worker later.
    static func sayIfNoneRuns(_ store: QueueStore) throws {
        guard isatty(STDERR_FILENO) == 1 else { return }
        guard try !store.maintenance.workers().contains(where: { store.locks.isAlive(worker: $0.id) }) else { return }
        Diagnostics.say("waiting, but no worker is running; start 'agent-worker'")
    }
}
