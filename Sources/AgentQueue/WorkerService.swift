import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker
import Logging
import ServiceLifecycle
import Synchronization

/// Runs the jobs of a queue in this process, with all that keeps the queue moving; a service for a `ServiceGroup`. `agent-worker` and
/// ``JobQueue/work(queues:stopsWhenEmpty:logger:onEvent:)`` are this service.
///
/// It claims jobs and calls models, promotes what is due, rescues what a dead worker held, fires schedules, delivers notifications and
/// looks after the batches of providers. A graceful shutdown stops claiming and lets what runs end within `worker.shutdown_grace`; the rest
/// goes back without counting the attempt. Cancelling the task hands everything back at once.
public final class WorkerService: Service {
    private let queue: JobQueue
    private let queues: Set<String>?
    private let drains: Bool
    private let logger: Logger
    private let onEvent: @Sendable (JobEvent) -> Void
    private let state = Mutex(State())

    private struct State {
        var worker: Worker?
        var isStopping = false
        var stopsAtOnce = false
    }

    /// Makes the service; nothing is called or claimed before ``run()``.
    /// - Parameters:
    ///   - queue: the queue.
    ///   - logger: where it says what it does.
    ///   - queues: the queues to serve; nil is all.
    ///   - stopsWhenEmpty: whether it ends once they hold nothing that is ready, running or about to be.
    ///   - onEvent: told of every job that ends an attempt here.
    public init(
        _ queue: JobQueue, queues: Set<String>? = nil, stopsWhenEmpty: Bool = false, logger: Logger = Logger(label: "agent-queue"),
        onEvent: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) {
        self.queue = queue
        self.queues = queues
        drains = stopsWhenEmpty
        self.logger = logger
        self.onEvent = onEvent
    }

    /// What it has done so far.
    package var progress: WorkerProgress { state.withLock { $0.worker }?.progress ?? WorkerProgress() }

    /// Works until it is asked to stop, its task is cancelled, or, where it stops when empty, its queues are.
    /// - Throws: `StoreError`, where it cannot register itself.
    public func run() async throws {
        queue.ownWorkers.begin()
        do {
            try await serve()
            queue.ownWorkers.end(nil)
        } catch {
            queue.ownWorkers.end(error)
            // Those who wait for a job look up only at a ring.
            queue.store.bell.ring(.done)
            throw error
        }
    }

    /// Stops claiming, and lets what runs end within the grace.
    package func beginShutdown() {
        let worker = state.withLock { state in
            state.isStopping = true
            return state.worker
        }
        worker?.beginShutdown()
    }

    /// Hands back everything that runs, now.
    package func stopAtOnce() {
        let worker = state.withLock { state in
            state.stopsAtOnce = true
            return state.worker
        }
        worker?.stopAtOnce()
    }

    /// Works with what must be ended afterwards, come what may.
    private func serve() async throws {
        let providers = ProviderSet(queue.settings, environment: queue.environment, own: queue.own)
        let notifications = NotificationSet(queue.settings, environment: queue.environment, now: queue.store.clock.wall)
        let outcome = await Self.result { try await serve(providers, notifications) }
        let shutdown = await Self.result {
            try await notifications.shutdown()
            try await providers.shutdown()
        }
        try outcome.get()
        try shutdown.get()
    }

    private func serve(_ providers: ProviderSet, _ notifications: NotificationSet) async throws {
        let store = queue.store
        try warn(of: providers)
        let worker = Worker(
            store: store, providers: providers.providers,
            configuration: queue.settings.workerConfiguration(queues: queues, drains: drains, available: providers.names),
            cache: queue.settings.responseCache(of: store, logger: logger), children: providers.children, planner: queue.planner,
            logger: logger,
            observer: onEvent)
        let asked = state.withLock { state in
            state.worker = worker
            return state
        }
        // It was asked before there was one to tell.
        if asked.isStopping { worker.beginShutdown() }
        if asked.stopsAtOnce { worker.stopAtOnce() }
        let dispatcher = NotificationDispatcher(store: store, sender: notifications, logger: logger) { worker.hasDrained }
        let maintainer = Maintainer(
            store: store, planner: queue.planner, logger: logger, firings: ScheduleMaker(queue.settings, own: queue.own)
        ) {
            dispatcher.call()
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Stopped from the last to the first, each when the one behind it has ended.
                    .init(service: dispatcher),
                    .init(service: maintainer),
                    .init(
                        service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        do {
            try await group.run()
        } catch  where Task.isCancelled && (error is CancellationError || error is ServiceGroupError) {
            // To be cancelled is how it is usually ended.
        }
    }

    /// Says which providers jobs wait for in vain. Only those: most configurations name providers that their owner does not use.
    private func warn(of providers: ProviderSet) throws {
        guard !providers.unavailable.isEmpty else { return }
        let awaited = Set(
            try queue.store.jobs.lanes().filter { $0.count(.available) + $0.count(.retryable) > 0 }.map { $0.target.prefix { $0 != "/" } })
        for (name, reason) in providers.unavailable.sorted(by: { $0.key < $1.key }) where awaited.contains(name[...]) {
            logger.warning("jobs are waiting for provider \(name), which is not available here", metadata: ["reason": "\(reason)"])
        }
    }

    private static func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

extension JobQueue {
    /// Runs jobs in this process until the task is cancelled, fires schedules, delivers notifications and looks after batches: all
    /// that an `agent-worker` does.
    /// - Parameters:
    ///   - logger: where it says what it does.
    ///   - queues: the queues to serve; nil is all.
    ///   - stopsWhenEmpty: whether it returns once they hold nothing that is ready, running or about to be.
    ///   - onEvent: told of every job that ends an attempt here.
    /// - Throws: `StoreError`. Whoever waits for a job of this queue is told, too.
    public func work(
        queues: Set<String>? = nil, stopsWhenEmpty: Bool = false, logger: Logger = Logger(label: "agent-queue"),
        onEvent: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) async throws {
        try await WorkerService(self, queues: queues, stopsWhenEmpty: stopsWhenEmpty, logger: logger, onEvent: onEvent).run()
    }
}

/// The workers that a program runs for its own queue: whoever waits there for a job is told why the last of them failed, rather than
/// waiting for ever.
final class OwnWorkers: Sendable {
    private struct State {
        var running = 0
        var failure: (any Error)?
    }

    private let state = Mutex(State())

    /// One begins; an earlier failure is forgotten.
    func begin() {
        state.withLock { state in
            state.running += 1
            state.failure = nil
        }
    }

    /// One has ended.
    /// - Parameter failure: why, unless it was asked to.
    func end(_ failure: (any Error)?) {
        state.withLock { state in
            state.running -= 1
            state.failure = failure ?? state.failure
        }
    }

    /// - Throws: what the last worker failed of, where none runs any more.
    func check() throws {
        let failure = state.withLock { $0.running == 0 ? $0.failure : nil }
        if let failure { throw failure }
    }
}
