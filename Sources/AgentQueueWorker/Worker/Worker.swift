import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging
import ServiceLifecycle
import Synchronization

/// Claims jobs, runs them and settles them. A process has one worker.
///
/// Concurrency is structured: the worker claims only as many jobs as it has free slots, and each call is a child task of ``run()``, which
/// returns when all of them have ended.
package final class Worker: Service {
    private let store: QueueStore
    private let providers: [String: any ModelProvider]
    private let configuration: WorkerConfiguration
    private let cache: ResponseCache?
    private let children: ChildProcessRegister?
    private let planner: (any RunPlanner)?
    private let audience: (any ReplyAudience)?
    private let logger: Logger
    private let observer: @Sendable (JobEvent) -> Void
    /// The capacity of a shared call, by provider.
    private let capacities: [String: CallCapacity]
    /// The capacity of a batch, by provider that supports batches.
    private let batchCapacities: [String: BatchCapacity]
    private let inFlight = InFlight()
    let direct: DirectClaims
    private let attention = WakeSignal()
    /// Set to when a lane opens that the last claim found closed.
    private let openings: WakeTimer
    /// Set to when a call that lingers for more jobs is made.
    private let departures: WakeTimer
    /// Limits how often it is said that calls do not end: once a minute.
    private let stuckNotes = LogThrottle(interval: 60_000_000_000)
    private let state = Mutex(State())

    private struct State {
        var progress = WorkerProgress()
        var isStopping = false
        var stopsAtOnce = false
        var hasDrained = false
        /// Jobs that went back to the queue because it is stopping.
        var handedBack = 0
        var hasGivenUp = false
        var progressWatch = ProgressWatch()
        /// Why nothing more can be stored.
        var loss: StoreError?
        /// Why lanes are closed.
        var waits = LaneWaits()
    }

    /// How long to wait after the store has failed, in ms.
    private static let storeRetry: Int64 = 1_000
    /// How often it says that it waits for space on the disk, in ns: once a minute.
    private static let fullDiskReminder: Int64 = 60_000_000_000

    /// Makes a worker.
    /// - Parameters:
    ///   - providers: the providers whose jobs it claims.
    ///   - cache: a cache in memory in front of the store's; nil for none.
    ///   - children: the child processes of providers, which whoever rescues this worker's jobs has to end.
    ///   - planner: decides what a run does next when one of its steps ends here; nil leaves that to other processes.
    ///   - audience: those in this process who wait for answers; nil if there are none.
    ///   - observer: receives an event for every attempt that ends here.
    package init(
        store: QueueStore, providers: [any ModelProvider], configuration: WorkerConfiguration, cache: ResponseCache? = nil,
        children: ChildProcessRegister? = nil, planner: (any RunPlanner)? = nil,
        audience: (any ReplyAudience)? = nil, logger: Logger, observer: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) {
        self.store = store
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.configuration = configuration
        direct = DirectClaims(configuration, providers: Set(self.providers.keys), inFlight)
        capacities =
            !configuration.coalesces
            ? [:]
            : self.providers.mapValues { provider in
                let limits = provider.capabilities
                // The claim counts bytes and the provider counts tokens. A token is assumed to have at least two bytes.
                let bytes = min(limits.maxEmbedBytes, limits.maxEmbedTokens.map { $0 * 2 } ?? .max)
                return CallCapacity(inputs: limits.maxEmbedInputs, bytes: bytes)
            }
        batchCapacities = BatchDriver.capacities(of: providers)
        self.cache = cache
        self.children = children
        self.planner = planner
        self.audience = audience
        self.logger = logger
        self.observer = observer
        openings = WakeTimer(attention)
        departures = WakeTimer(attention)
        if let audience {
            store.onEnds { ends in
                for end in ends { audience.ended(end.job, end.state) }
            }
        }
    }

    /// What it has done so far.
    package var progress: WorkerProgress {
        var progress = state.withLock { $0.progress }
        progress.running = inFlight.count
        return progress
    }

    /// Whether it ended because its queues were empty, rather than because it was stopped.
    package var hasDrained: Bool { state.withLock { $0.hasDrained } }

    /// Whether it ended because no job had ended for as long as its configuration allows.
    package var hasGivenUp: Bool { state.withLock { $0.hasGivenUp } }

    /// Runs until it is stopped or, if it drains, until its queues are empty.
    ///
    /// After a graceful shutdown begins, it claims no more jobs, lets running jobs finish within the grace period, and hands the rest back
    /// without counting their attempts. When the task is cancelled, it hands them back at once.
    /// - Throws: `StoreError` if it cannot register, or if the database is no longer at its path.
    package func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            guard let registration = try await register() else { return }
            try await run(as: registration)
        } onCancelOrGracefulShutdown: { [self] in
            beginShutdown()
        }
    }

    /// Signs on. On a full disk, waits until there is space.
    /// - Returns: nil if it is stopped before that.
    private func register() async throws -> WorkerRegistration? {
        let throttle = LogThrottle(interval: Self.fullDiskReminder)
        // One that runs a single job serves no queue.
        let queues = configuration.only == nil ? configuration.queues : []
        while true {
            do { return try await store.claims.registerWorker(queues: queues) } catch let error as StoreError where error.kind == .full {
                if throttle.isDue(at: platform_monotonic_ns()) {
                    logger.warning("the disk is full; waiting for space", metadata: ["error": "\(error)"])
                }
                if state.withLock(\.isStopping) || Task.isCancelled { return nil }
                // A cancelled task cannot sleep; the next turn ends it.
                try? await Task.sleep(for: .milliseconds(Self.storeRetry))
            }
        }
    }

    private func run(as registration: WorkerRegistration) async throws {
        if let calls = registration.calls { children?.attach { calls.note(children: $0) } }
        logger.info("worker \(registration.id) ready", metadata: ["concurrency": .stringConvertible(configuration.concurrency)])
        let heartbeat = HeartbeatThread(store, inFlight: inFlight, lease: configuration.lease, logger: logger)
        await work(registration)
        heartbeat.stop()
        if let loss = state.withLock(\.loss) { throw loss }
        let handedBack = state.withLock(\.handedBack)
        if handedBack > 0 {
            let what = handedBack == 1 ? "1 running job" : "\(handedBack) running jobs"
            logger.info(
                "handed \(what) back to the queue: the attempts do not count",
                metadata: ["jobs": .stringConvertible(handedBack)])
        }
        do {
            try await store.claims.unregisterWorker(registration.id)
        } catch {
            logger.warning("the worker could not sign off", metadata: ["error": "\(error)"])
        }
    }

    /// Stops claiming, and lets running jobs finish within the grace period.
    package func beginShutdown() {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard isFirst else { return }
        direct.close()
        let running = inFlight.count
        let grace = DurationText.format(.milliseconds(configuration.shutdownGrace))
        logger.info(
            running == 0 ? "stopping" : "stopping: running jobs have \(grace) to finish; a second signal stops at once",
            metadata: ["running": .stringConvertible(running), "grace_ms": .stringConvertible(configuration.shutdownGrace)])
        attention.call()
    }

    /// Hands back all running jobs at once.
    package func stopAtOnce() {
        beginShutdown()
        // Set before the jobs are stopped, so that the jobs of a claim under way are stopped too.
        state.withLock { $0.stopsAtOnce = true }
        inFlight.stopAll(.shutdown)
    }

    // MARK: Working

    private func work(_ registration: WorkerRegistration) async {
        var coalescer = Coalescer(capacities: capacities, linger: configuration.linger)
        var runner = JobRunner(
            store: store, providers: providers, configuration: configuration, cache: cache, semantic: semantic,
            recaller: Recaller(store: store, providers: providers, configuration: configuration, logger: logger), inFlight: inFlight,
            calls: registration.calls, logger: logger
        ) { [self] event in
            note(event)
            attention.call()
        }
        runner.planner = planner
        runner.audience = audience
        await withTaskGroup { helpers in
            let attention = attention
            store.onChange(of: .work) { attention.call() }
            if configuration.drains { store.onChange(of: .done) { attention.call() } }
            attention.call()
            helpers.addTask { [self, runner] in await direct.run(as: registration.id, runner) { attention.call() } }
            helpers.addTask { [self] in await watchDeadlines() }
            helpers.addTask { [self] in await watchWaits() }
            if configuration.only == nil { helpers.addTask { [self] in await batchDriver(registration.id).run() } }
            helpers.addTask { [self] in await openings.run() }
            helpers.addTask { [self] in await departures.run() }
            await withDiscardingTaskGroup { [runner] jobs in
                var stopped = false
                for await _ in attention.stream {
                    stopped = state.withLock { $0.isStopping } || Task.isCancelled
                    if stopped { break }
                    if hasWaitedTooLong() {
                        state.withLock { $0.hasGivenUp = true }
                        break
                    }
                    guard let round = await claim(registration.id, coalescer) else {
                        guard state.withLock({ $0.loss != nil }) else { continue }
                        // No answer can be stored any more.
                        stopAtOnce()
                        stopped = true
                        break
                    }
                    let now = platform_monotonic_ns() / 1_000_000
                    let called = coalescer.add(round.jobs, lanesWithMore: round.lanesWithMore, now: now)
                    for lease in round.cancellations {
                        if let job = coalescer.remove(lease) { begin([job], runner, &jobs) }
                    }
                    for call in called { begin(call, runner, &jobs) }
                    if let due = coalescer.nextDue { departures.set(after: due - now) }
                    // The round was limited to `batch_size`, so there may be more jobs for the remaining slots.
                    if round.jobs.count >= configuration.batchSize || (!round.lanesWithMore.isEmpty && !round.jobs.isEmpty) {
                        attention.call()
                    }
                    if round.jobs.isEmpty, isDrained() {
                        state.withLock { $0.hasDrained = true }
                        break
                    }
                }
                // Jobs that were still lingering are handed back.
                for call in coalescer.flush() {
                    for job in call { inFlight.stop(job.lease, .shutdown) }
                    begin(call, runner, &jobs)
                }
                if stopped || Task.isCancelled { await handBackAfterGrace(registration.id) }
            }
            helpers.cancelAll()
        }
    }

    /// Takes a slot and runs the jobs of one call in it.
    private func begin(_ call: [ClaimedJob], _ runner: JobRunner, _ jobs: inout DiscardingTaskGroup) {
        inFlight.beginCall(of: call[0].route.provider, now: platform_monotonic_ns())
        jobs.addTask { [attention] in
            await runner.run(call)
            // The slot is free only now.
            attention.call()
        }
    }

    private var semantic: SemanticCache? {
        guard let policy = configuration.semantic, let provider = providers[policy.model.provider] else { return nil }
        return SemanticCache(
            store: store, provider: provider, model: policy.model, prefix: policy.prefix, threshold: policy.threshold, logger: logger)
    }

    private func batchDriver(_ worker: Int64) -> BatchDriver {
        BatchDriver(
            store: store, providers: providers.values.compactMap { $0 as? any BatchProvider }, configuration: configuration,
            worker: worker, logger: logger
        ) { [self] event in note(event) }
    }

    /// Claims jobs for the free slots, or only reads cancellations. Returns nil if the store failed; the next ring or beat tries again.
    private func claim(_ worker: Int64, _ coalescer: Coalescer, takesJobs: Bool = true) async -> ClaimRound? {
        let free = freeSlots(coalescer, takesJobs: takesJobs)
        var request = ClaimRequest(
            worker: worker, queues: configuration.queues, providers: Set(providers.keys), slots: min(free.count, configuration.batchSize),
            lease: configuration.lease, isIdle: inFlight.count + direct.reserved == 0, policies: configuration.policies)
        request.only = configuration.only
        // Nothing may begin beside a job that must run alone.
        direct.leave(request.isIdle ? configuration.concurrency : request.slots)
        defer { direct.leave(0) }
        request.excluded = free.excluded
        request.waits = state.withLock(\.waits)
        request.capacities = capacities
        request.batchCapacities = batchCapacities
        if takesJobs { request.openCalls = coalescer.openCalls }
        do {
            let round = try await store.claims.claim(request)
            for lease in round.cancellations { inFlight.stop(lease, .cancelled) }
            let now = platform_monotonic_ns()
            inFlight.add(round.jobs, alone: round.runsAlone) { configuration.deadline(of: $0, now: now) }
            if let opening = round.nextOpening { openings.set(after: opening - store.clock.wall()) }
            if !free.excluded.isEmpty {
                note(extra: round.jobs.count, besides: free.excluded)
            } else if round.waits != request.waits {
                state.withLock { $0.waits = round.waits }
            }
            return round
        } catch {
            logger.error("claiming failed", metadata: ["error": "\(error)"])
            if let error = error as? StoreError, error.kind == .incomplete { state.withLock { $0.loss = error } }
            return nil
        }
    }

    private func freeSlots(_ coalescer: Coalescer, takesJobs: Bool) -> FreeSlots {
        guard takesJobs, !inFlight.isAlone else { return FreeSlots(count: 0) }
        return inFlight.freeSlots(
            of: configuration.concurrency, extra: configuration.extraConcurrency, lingering: coalescer.count + direct.reserved,
            now: platform_monotonic_ns())
    }

    /// Logs that jobs run in slots beyond the limit.
    private func note(extra jobs: Int, besides stuck: Set<String>) {
        guard jobs > 0, stuckNotes.isDue(at: platform_monotonic_ns()) else { return }
        logger.warning(
            "every slot is taken by calls that do not end: jobs of other providers run besides",
            metadata: [
                "providers": "\(stuck.sorted().joined(separator: ", "))", "concurrency": .stringConvertible(configuration.concurrency),
                "extra": .stringConvertible(configuration.extraConcurrency),
            ])
    }

    private func isDrained() -> Bool {
        guard configuration.drains, inFlight.count == 0 else { return false }
        do {
            return try store.claims.isDrained(
                queues: configuration.queues, providers: Set(providers.keys), routes: configuration.policies.routes)
        } catch {
            logger.warning("the queues could not be read", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Whether no job has ended, in any process, for as long as a drain may wait.
    private func hasWaitedTooLong() -> Bool {
        guard configuration.drains, let longest = configuration.maxWait else { return false }
        let now = platform_monotonic_ns() / 1_000_000
        guard state.withLock({ $0.progressWatch.isDue(at: now) }) else { return false }
        do {
            let lanes = try store.jobs.lanes().filter { configuration.queues?.contains($0.queue) != false }
            let ended = lanes.reduce(0) { sum, lane in JobState.allCases.filter(\.isFinal).reduce(sum) { $0 + lane.count($1) } }
            return state.withLock { $0.progressWatch.look(ended: ended, at: now) } >= longest
        } catch {
            logger.warning("the queues could not be read", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Logs what jobs wait for, since the worker looks stuck otherwise.
    private func watchWaits() async {
        var watch = WaitWatch(store: store, configuration: configuration, providers: Set(providers.keys), logger: logger)
        while !Task.isCancelled {
            // A failed read is logged by the claim that follows.
            try? watch.look(state.withLock(\.waits), isIdle: inFlight.count == 0)
            try? await Task.sleep(for: .seconds(WaitWatch.interval))
        }
    }

    /// Stops calls whose provider misses its own deadline.
    private func watchDeadlines() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            inFlight.stopOverdue(now: platform_monotonic_ns())
        }
    }

    /// Hands running jobs back after the grace period, or at once if the task is cancelled. Until then they can still be cancelled.
    private func handBackAfterGrace(_ worker: Int64) async {
        let limit = platform_monotonic_ns() + configuration.shutdownGrace * 1_000_000
        var looks = 0
        while inFlight.count + direct.reserved > 0, platform_monotonic_ns() < limit, !Task.isCancelled, !state.withLock(\.stopsAtOnce) {
            try? await Task.sleep(for: .milliseconds(20))
            looks += 1
            if looks % 10 == 0 { _ = await claim(worker, Coalescer(capacities: [:], linger: 0), takesJobs: false) }
        }
        inFlight.stopAll(.shutdown)
    }

    private func note(_ event: JobEvent) {
        state.withLock { state in
            if event.state == .completed { state.progress.completed += 1 }
            if event.state == .discarded { state.progress.failed += 1 }
            if event.answeredBy == .cache { state.progress.cached += 1 }
            if event.state == .available, event.failure == nil, state.isStopping { state.handedBack += 1 }
            if let cost = event.cost { state.progress.cost += cost } else { state.progress.unpriced += 1 }
        }
        observer(event)
    }
}
