import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Logging

/// The queue, for a program that embeds it.
///
/// ```swift
/// let queue = try JobQueue(database: "queue.db")
/// let worker = Task { try await queue.work() }
/// let job = try await queue.enqueue("What is the capital of Portugal?")
/// print(try await queue.finish(job.id).result?.text ?? "no answer")
/// worker.cancel()
/// ```
///
/// Any number of programs, `agent-queue` and `agent-worker` among them, may use one database at once.
package struct JobQueue: Sendable {
    /// The database.
    package let store: QueueStore
    /// What it was configured with.
    package let settings: Settings
    /// Decides what runs do next.
    package let planner: PipelinePlanner
    private let environment: [String: String]

    /// Opens a queue with the built-in settings.
    /// - Throws: `StoreError`.
    package init(database: String, environment: [String: String] = [:]) throws {
        try self.init(Settings(database: database), environment: environment)
    }

    /// Opens a queue.
    /// - Parameter environment: where API keys are looked up.
    /// - Throws: `StoreError`.
    package init(_ settings: Settings, environment: [String: String]) throws {
        self.settings = settings
        self.environment = environment
        store = try QueueStore(path: settings.database, options: settings.storeOptions)
        planner = PipelinePlanner(store: store, settings: settings)
    }

    /// Adds a job that asks one question.
    /// - Parameter model: `provider/model`; nil is the configured default.
    /// - Throws: `InputError`, `StoreError`.
    package func enqueue(_ prompt: String, model: String? = nil) async throws -> Enqueued {
        var draft = JobDraft()
        draft.prompt = prompt
        draft.model = model
        return try await enqueue(draft)
    }

    /// Adds a job.
    /// - Throws: `InputError`, `StoreError`.
    package func enqueue(_ draft: JobDraft) async throws -> Enqueued {
        try await store.enqueue(draft.validated(in: settings.intakeContext(now: store.clock.wall())))
    }

    /// Waits until a job has ended, and returns it with its result or its errors. Waits as long as it takes: cancel the task
    /// to give up.
    /// - Throws: `StoreError`, also where there is no such job; `CancellationError`.
    package func finish(_ id: Int64) async throws -> Job {
        for await _ in store.changes(of: .done) {
            guard let state = try store.states(of: [id])[id] else { throw StoreError(.notFound, "there is no job \(id)") }
            if state.isFinal, let job = try store.job(id) { return job }
        }
        throw CancellationError()
    }

    /// Runs jobs in this process until the task is cancelled.
    /// - Throws: `StoreError`.
    package func work(logger: Logger = Logger(label: "agent-queue")) async throws {
        let providers = ProviderSet(settings, environment: environment)
        let worker = Worker(
            store: store, providers: providers.providers, configuration: settings.workerConfiguration(available: providers.names),
            cache: settings.responseCache(of: store), children: providers.children, planner: planner, logger: logger)
        let upkeep = Maintainer(store: store, planner: planner, logger: logger)
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await upkeep.run() }
                try await worker.run()
                group.cancelAll()
            }
        } catch {
            try await providers.shutdown()
            throw error
        }
        try await providers.shutdown()
    }
}
