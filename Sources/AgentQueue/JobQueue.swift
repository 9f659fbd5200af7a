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
    /// Where API keys and programs are looked up.
    package let environment: [String: String]
    /// The embedding program's own providers.
    package let own: [any ModelProvider]
    let ownWorkers: OwnWorkers

    /// Opens a queue with the built-in settings.
    /// - Throws: `StoreError`.
    package init(database: String, environment: [String: String] = [:]) throws {
        try self.init(Settings(database: database), environment: environment)
    }

    /// Opens a queue.
    /// - Parameters:
    ///   - environment: where API keys are looked up.
    ///   - own: the embedding program's providers, each in place of a configured one of its name.
    /// - Throws: `StoreError`.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) throws {
        self.settings = settings
        self.environment = environment
        self.own = own
        store = try QueueStore(path: settings.database, options: settings.storeOptions)
        planner = PipelinePlanner(store: store, settings: settings, own: own)
        ownWorkers = OwnWorkers()
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
        try await store.jobs.enqueue(draft.validated(in: settings.intakeContext(now: store.clock.wall(), own: own)))
    }

    /// Waits until a job has ended, and returns it with its result or its errors. Waits as long as it takes: cancel the task
    /// to give up.
    /// - Throws: `StoreError`, also where there is no such job; what ended this queue's own worker; `CancellationError`.
    package func finish(_ id: Int64) async throws -> Job {
        for await _ in store.changes(of: .done) {
            guard let state = try store.jobs.states(of: [id])[id] else { throw StoreError(.notFound, "there is no job \(id)") }
            if state.isFinal, let job = try store.jobs.get(id) { return job }
            try ownWorkers.check()
        }
        throw CancellationError()
    }

    /// Runs jobs in this process until the task is cancelled, fires schedules, delivers notifications and looks after batches: all
    /// that an `agent-worker` does.
    /// - Parameters:
    ///   - queues: the queues to serve; nil is all.
    ///   - stopsWhenEmpty: whether it returns once they hold nothing that is ready, running or about to be.
    ///   - onEvent: told of every job that ends an attempt here.
    /// - Throws: `StoreError`. Whoever waits for a job of this queue is told, too.
    package func work(
        queues: Set<String>? = nil, stopsWhenEmpty: Bool = false, logger: Logger = Logger(label: "agent-queue"),
        onEvent: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) async throws {
        try await WorkerService(self, queues: queues, stopsWhenEmpty: stopsWhenEmpty, logger: logger, onEvent: onEvent).run()
    }
}
