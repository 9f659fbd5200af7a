import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker
import Logging
import ServiceLifecycle
import Synchronization

/// Runs the jobs of a queue in this process, with everything that keeps the queue moving. A service for a `ServiceGroup`; `agent-worker`
/// and ``JobQueue/work(queues:stopsWhenEmpty:logger:onEvent:)`` run it too.
///
/// It claims jobs and calls models, promotes jobs that are due, rescues those of dead workers, fires schedules, delivers notifications and
/// drives provider batches. On a graceful shutdown it stops claiming and lets running calls finish within `worker.shutdown_grace`; the
/// remaining jobs go back to the queue without counting the attempt. Cancelling the task hands everything back at once.
public final class WorkerService: Service {
    private let queue: JobQueue
    private let queues: Set<String>?
    private let drains: Bool
    private let maxWait: Duration?
    private let only: Int64?
    private let audience: (any ReplyAudience)?
    private let logger: Logger
    private let onEvent: @Sendable (JobEvent) -> Void
    private let state = Mutex(State())

    private struct State {
        var worker: Worker?
        var isStopping = false
        var stopsAtOnce = false
        var unserved: [UnservedJobs] = []
        var unfinished: [UnfinishedJobs]?
    }

    /// Makes the service. Nothing is claimed or called before ``run()``.
    /// - Parameters:
    ///   - queue: the queue.
    ///   - logger: receives the log.
    ///   - queues: the queues to serve; nil for all.
    ///   - stopsWhenEmpty: whether it ends once they have no job that is ready, running or about to be.
    ///   - maxWait: with `stopsWhenEmpty`, it ends too once no job has ended for this long; nil waits as long as it takes.
    ///   - onEvent: called for every attempt that ends here.
    public init(
        _ queue: JobQueue, queues: Set<String>? = nil, stopsWhenEmpty: Bool = false, maxWait: Duration? = nil,
        logger: Logger = Logger(label: "agent-queue"), onEvent: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) {
        self.queue = queue
        self.queues = queues
        drains = stopsWhenEmpty
        self.maxWait = maxWait
        only = nil
        audience = nil
        self.logger = logger
        self.onEvent = onEvent
    }

    /// Makes the service of a program whose clients wait for answers.
    /// - Parameters:
    ///   - queue: the queue.
    ///   - audience: hears the pieces of answers and the ends of attempts.
    ///   - logger: receives the log.
    ///   - onEvent: called for every attempt that ends here.
    package init(
        _ queue: JobQueue, audience: any ReplyAudience, logger: Logger, onEvent: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) {
        self.queue = queue
        self.audience = audience
        self.logger = logger
        self.onEvent = onEvent
        queues = nil
        drains = false
        maxWait = nil
        only = nil
    }

    /// Makes the service of one job: nothing else is claimed, no schedule fires and no notification is delivered.
    /// - Parameters:
    ///   - queue: the queue.
    ///   - only: the job.
    ///   - logger: receives the log.
    package init(_ queue: JobQueue, only: Int64, logger: Logger) {
        self.queue = queue
        self.only = only
        self.logger = logger
        queues = nil
        drains = false
        maxWait = nil
        audience = nil
        onEvent = { _ in }
    }

    package var progress: WorkerProgress { state.withLock { $0.worker }?.progress ?? WorkerProgress() }

    /// The jobs in its queues that are ready or will be, or run in any process; nil if they cannot be read now.
    package var jobsLeft: Int? {
        // Only a figure on the screen is missing then.
        guard let lanes = try? queue.store.jobs.lanes() else { return nil }
        let states: [JobState] = [.available, .retryable, .running, .pending]
        return lanes.filter { queues?.contains($0.queue) != false }.reduce(0) { sum, lane in sum + states.reduce(0) { $0 + lane.count($1) }
        }
    }

    /// After it has ended because its queues were empty: the jobs in them that it could not call.
    package var unserved: [UnservedJobs] { state.withLock(\.unserved) }

    /// After it has ended because no job had ended for ``maxWait``: the jobs that are left in its queues. Otherwise nil.
    package var unfinished: [UnfinishedJobs]? { state.withLock(\.unfinished) }

    /// Works until it is asked to stop, until its task is cancelled or, with `stopsWhenEmpty`, until its queues are empty.
    /// - Throws: `StoreError`, also if the worker cannot be registered.
    public func run() async throws {
        queue.ownWorkers.begin()
        do {
            try await serve()
            queue.ownWorkers.end(nil)
        } catch {
            queue.ownWorkers.end(error)
            // Callers that wait for a job check for a failed worker only when the bell rings.
            queue.store.bell.ring(.done)
            throw error
        }
    }

    /// Stops claiming, and lets running calls finish within the grace period.
    package func beginShutdown() {
        let worker = state.withLock { state in
            state.isStopping = true
            return state.worker
        }
        worker?.beginShutdown()
    }

    /// Hands all running jobs back now.
    package func stopAtOnce() {
        let worker = state.withLock { state in
            state.stopsAtOnce = true
            return state.worker
        }
        worker?.stopAtOnce()
    }

    /// What may be claimed for it with a job that is added now; nil if no slot is free. ``endDirectClaim(_:)`` must follow.
    package func beginDirectClaim() -> ClaimRequest? { state.withLock { $0.worker }?.beginDirectClaim() }

    /// Takes over what was claimed: a job, or nothing.
    package func endDirectClaim(_ jobs: [ClaimedJob]) { state.withLock { $0.worker }?.endDirectClaim(jobs) }

    /// Runs the worker, then shuts down notifications and providers, whether or not it failed.
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
        var configuration = queue.settings.workerConfiguration(queues: queues, drains: drains, available: providers.names)
        configuration.only = only
        configuration.maxWait = maxWait?.milliseconds
        configuration.unavailable = providers.unavailable
        let worker = Worker(
            store: store, providers: providers.providers, configuration: configuration,
            cache: queue.settings.responseCache(of: store, logger: logger), children: providers.children, planner: queue.planner,
            audience: audience, logger: logger, observer: onEvent)
        let asked = state.withLock { state in
            state.worker = worker
            return state
        }
        // The shutdown was requested before the worker existed.
        if asked.isStopping { worker.beginShutdown() }
        if asked.stopsAtOnce { worker.stopAtOnce() }
        let dispatcher = NotificationDispatcher(store: store, sender: notifications, logger: logger) { worker.hasDrained }
        let maintainer = Maintainer(
            store: store, planner: queue.planner, policies: configuration.policies, lease: configuration.lease, logger: logger,
            firings: only == nil ? ScheduleMaker(queue.settings, own: queue.own) : nil
        ) {
            dispatcher.call()
        }
        // Services are stopped in reverse order, each after the one behind it has ended.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = only == nil ? [.init(service: dispatcher)] : []
        services.append(.init(service: maintainer))
        services.append(
            .init(
                service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        do {
            try await group.run()
        } catch  where Task.isCancelled && (error is CancellationError || error is ServiceGroupError) {
            // Cancellation is the usual way for it to end.
        }
        if worker.hasGivenUp {
            let unfinished = try unfinishedJobs()
            state.withLock { $0.unfinished = unfinished }
        }
        guard worker.hasDrained else { return }
        let left = try store.claims.unserved(queues: queues, providers: providers.names, routes: configuration.policies.routes)
        let unserved = left.map { lane in
            UnservedJobs(
                provider: lane.provider, jobs: lane.jobs, reason: providers.unavailable[lane.provider] ?? "it is not configured here")
        }
        state.withLock { $0.unserved = unserved }
    }

    private func unfinishedJobs() throws -> [UnfinishedJobs] {
        let states: [JobState] = [.available, .retryable, .running, .pending]
        var jobs: [String: Int] = [:]
        for lane in try queue.store.jobs.lanes() where queues?.contains(lane.queue) != false {
            jobs[lane.target, default: 0] += states.reduce(0) { $0 + lane.count($1) }
        }
        return jobs.filter { $0.value > 0 }.map { UnfinishedJobs(target: $0.key, jobs: $0.value) }.sorted { $0.target < $1.target }
    }

    private static func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

/// Jobs that a worker cannot call.
package struct UnservedJobs: Sendable, Equatable {
    package let provider: String
    package let jobs: Int
    /// Why the provider cannot be called: a clause.
    package let reason: String
}

/// Jobs of one model that a worker leaves because none of its jobs ended for a long time.
package struct UnfinishedJobs: Sendable, Equatable {
    /// `provider/model`.
    package let target: String
    package let jobs: Int
}

extension JobQueue {
    /// Runs one job in this process until the task is cancelled, and nothing else. Another process may take the job first.
    package func work(only id: Int64) async throws {
        try await WorkerService(self, only: id, logger: Logger(label: "agent-queue") { _ in SwiftLogNoOpLogHandler() }).run()
    }

    /// Runs jobs in this process until the task is cancelled, fires schedules, delivers notifications and drives provider batches, as an
    /// `agent-worker` does.
    /// - Parameters:
    ///   - logger: receives the log.
    ///   - queues: the queues to serve; nil for all.
    ///   - stopsWhenEmpty: whether it returns once they have no job that is ready, running or about to be.
    ///   - onEvent: called for every attempt that ends here.
    /// - Throws: `StoreError`. Callers that wait for a job of this queue receive it too.
    public func work(
        queues: Set<String>? = nil, stopsWhenEmpty: Bool = false, logger: Logger = Logger(label: "agent-queue"),
        onEvent: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) async throws {
        try await WorkerService(self, queues: queues, stopsWhenEmpty: stopsWhenEmpty, logger: logger, onEvent: onEvent).run()
    }
}

/// The workers that a program runs for its own queue. If the last of them fails, callers that wait for a job receive its error instead of
/// waiting for ever.
final class OwnWorkers: Sendable {
    private struct State {
        var running = 0
        var failure: (any Error)?
    }

    private let state = Mutex(State())

    /// Records that a worker starts. An earlier failure is forgotten.
    func begin() {
        state.withLock { state in
            state.running += 1
            state.failure = nil
        }
    }

    /// Records that a worker has ended.
    /// - Parameter failure: the reason; nil if it was asked to end.
    func end(_ failure: (any Error)?) {
        state.withLock { state in
            state.running -= 1
            state.failure = failure ?? state.failure
        }
    }

    /// - Throws: the failure of the last worker, if none is running.
    func check() throws {
        let failure = state.withLock { $0.running == 0 ? $0.failure : nil }
        if let failure { throw failure }
    }
}
