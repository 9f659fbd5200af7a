import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Glibc

/// A word to whoever waits for jobs whose provider is not called.
enum ProviderHint {
    /// The most jobs that are looked at: many wait for the same.
    private static let mostJobs = 20

    /// Says on standard error which providers of open jobs are unavailable here or paused, each once. A script may start its worker
    /// with another environment, so it is said, and waited all the same.
    static func say(for ids: some Sequence<Int64>, _ store: QueueStore, _ session: Session) async throws {
        try await say(for: try ids.prefix(mostJobs).compactMap { try store.jobs.get($0) }, store, session)
    }

    /// The same for the jobs of a batch.
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

/// A word to a person who waits for what nobody works on.
enum WorkerHint {
    /// On a terminal, says so where no worker runs. (A script may start its worker later.)
    static func sayIfNoneRuns(_ store: QueueStore) throws {
        guard isatty(STDERR_FILENO) == 1 else { return }
        guard try !store.maintenance.workers().contains(where: { store.locks.isAlive(worker: $0.id) }) else { return }
        Diagnostics.say("waiting, but no worker is running; start 'agent-worker'")
    }
}
