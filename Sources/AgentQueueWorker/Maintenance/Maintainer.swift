import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging
import ServiceLifecycle

/// Keeps the queue moving. It runs in every worker process: it promotes due jobs, rescues the jobs of dead workers, ends expired jobs,
/// cancels dependents, resumes runs and fires schedules. Every step is safe to run in any number of processes at once.
package final class Maintainer: Service {
    private let store: QueueStore
    private let planner: (any RunPlanner)?
    private let policies: CallPolicies
    /// How long living owners have to renew their leases after this process was unable to write, in ms.
    private let heartbeat: Int64
    private let logger: Logger
    /// The interval of tasks that are not urgent, in ms.
    private let tidying: Int64
    private let firer: ScheduleFirer?
    private let onNotification: @Sendable () -> Void
    private let lockComplaints = LogThrottle(interval: 60_000)

    /// How long a round waits after it was woken, in ms: every commit rings.
    private static let pause: Int64 = 5
    /// The minimum interval between two reads of the list of workers, in ms. A new worker is watched after at most that long.
    private static let shortestRefresh: Int64 = 50

    /// How much later than due a heartbeat may come, in ms.
    private static let heartbeatMargin: Int64 = 1_000

    /// Makes one.
    /// - Parameters:
    ///   - planner: decides what runs do next; nil leaves runs to other processes.
    ///   - policies: estimate what the calls of dead workers may have cost.
    ///   - lease: the lease of claims, in ms, of which owners renew it every third.
    ///   - tidying: the interval of tasks that are not urgent, in ms. Default: one minute.
    ///   - firings: makes the jobs and runs of schedules; nil fires none.
    ///   - onNotification: called when a notification is due.
    package init(
        store: QueueStore, planner: (any RunPlanner)? = nil, policies: CallPolicies = CallPolicies(), lease: Int64 = 60_000, logger: Logger,
        tidying: Int64 = 60_000,
        firings: (any FiringMaker)? = nil, onNotification: @escaping @Sendable () -> Void = {}
    ) {
        firer = firings.map { ScheduleFirer(store: store, maker: $0, logger: logger) }
        self.onNotification = onNotification
        self.store = store
        self.planner = planner
        self.policies = policies
        heartbeat = lease / 3 + Self.heartbeatMargin
        self.logger = logger
        self.tidying = tidying
    }

    /// Runs until the task is cancelled or a graceful shutdown begins.
    package func run() async throws {
        let attention = WakeSignal()
        let timer = WakeTimer(attention)
        let peers = PeerWatch(store, logger: logger) { attention.call() }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { [store] in
                    for await _ in store.changes(of: .work) { attention.call() }
                    attention.finish()
                }
                // A task of its own: it may take long, and must not delay what is due.
                group.addTask { [self] in await tidy() }
                group.addTask { await timer.run() }
                var (lastRefresh, lastBeat): (Int64, Int64) = (0, 0)
                var clock = ClockWatch()
                var needsMending = false
                for await _ in attention.stream {
                    // The claims that the same ring wakes go first. A moment later, one round serves several rings.
                    try? await Task.sleep(for: .milliseconds(Self.pause))
                    if Task.isCancelled { break }
                    if clock.hasStepped(store.clock) { needsMending = true }
                    if needsMending { needsMending = await !mendTimes() }
                    let now = platform_monotonic_ns() / 1_000_000
                    if now - lastBeat >= MaintenanceStore.beatInterval {
                        store.maintenance.beat()
                        lastBeat = now
                    }
                    var nextRefresh: Int64?
                    if now - lastRefresh >= Self.shortestRefresh {
                        peers.refresh()
                        lastRefresh = now
                    } else {
                        // A new worker may have rung.
                        nextRefresh = lastRefresh + Self.shortestRefresh - now
                    }
                    let nextDue = await round().map { max($0 - store.clock.wall(), Self.pause) }
                    if let next = [nextDue, nextRefresh].compactMap(\.self).min() { timer.set(after: next) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            attention.finish()
        }
        peers.stop()
    }

    /// Does everything that is due. Returns when something is due next (wall clock, ms).
    private func round() async -> Int64? {
        var pending = PendingMaintenance()
        keepLocks()
        await attempt("looking for maintenance") { [store, heartbeat] in
            pending = try store.maintenance.pending(heartbeat: heartbeat)
        }
        if pending.mayRescue {
            await attempt("rescue") { [store, heartbeat, policies] in
                try await store.maintenance.rescue(except: store.locks.ownWorkers, heartbeat: heartbeat, policies: policies)
            }
        }
        if pending.hasExpired { await attempt("expiry") { [store] in while try await store.maintenance.expire() > 0 {} } }
        if pending.hasCascade { await attempt("cascade") { [store] in while try await store.maintenance.cascade() {} } }
        if pending.hasFanOut { await attempt("fanning out results") { [store] in while try await store.maintenance.fanOut() {} } }
        if pending.hasDueRun, let planner { await attempt("resuming runs") { try await resume(planner) } }
        if pending.hasSweep { await attempt("stopping the calls of runs") { [store] in while try await store.runs.sweep() {} } }
        var nextDue = pending.nextDue
        if let due = nextDue, due <= store.clock.wall() {
            await attempt("promotion") { [store] in
                var promoted = 0
                repeat { (promoted, nextDue) = try await store.maintenance.promote() } while promoted > 0
            }
        }
        return [nextDue, await fire(pending.nextFiring), notify(pending.nextNotification)].compactMap(\.self).min()
    }

    /// The wall clock was set, or may have been set before this process began. Returns whether everything that waits was mended.
    private func mendTimes() async -> Bool {
        var isMended = false
        await attempt("mending times after a step of the clock") { [store, logger, firer] in
            let step = try await store.maintenance.noteClock()
            if let step {
                logger.warning("the system clock \(step.sentence); waits go on as before", metadata: ["step_ms": "\(step.length)"])
            }
            try await store.maintenance.mendTimes()
            try await firer?.realign(clockWasSet: step != nil)
            isMended = true
        }
        return isMended
    }

    /// Looks whether someone has deleted the lock file, by which workers recognize each other.
    private func keepLocks() {
        do {
            guard try store.locks.reattach() else { return }
            logger.warning(
                "the lock file was deleted or replaced while in use; this process has locked its part of the new one",
                metadata: ["file": "\(store.path)-lock"])
        } catch {
            guard lockComplaints.isDue(at: store.clock.boot()) else { return }
            logger.warning("the lock file was deleted or replaced, and cannot be made anew", metadata: ["error": "\(error)"])
        }
    }

    /// Fires due schedules. Returns when the next one is due.
    private func fire(_ due: Int64?) async -> Int64? {
        guard let firer, let due, due <= store.clock.wall() else { return firer == nil ? nil : due }
        // If the store fails, the next round tries again, within a second.
        var next: Int64?
        await attempt("firing schedules") { next = try await firer.fireDue() }
        return next
    }

    /// Has due notifications delivered. Returns when the next one is due, if that is later.
    private func notify(_ due: Int64?) -> Int64? {
        guard let due, due <= store.clock.wall() else { return due }
        onNotification()
        return nil
    }

    /// Resumes runs whose steps ended other than by a settlement.
    private func resume(_ planner: any RunPlanner) async throws {
        var goesOn = true
        while goesOn {
            goesOn = try await store.runs.resume(runs: planner) { [logger] run, end in
                logger.info("run \(run) \(end.state.rawValue)", metadata: end.reason.map { ["reason": "\($0)"] } ?? [:])
            }
        }
    }

    /// Tasks that are not urgent: compacts stored vectors, and continues re-embedding with another model.
    private func tidy() async {
        while (try? await Task.sleep(for: .milliseconds(tidying))) != nil {
            if let firer { await attempt("following the machine's time zone") { try await firer.realign(clockWasSet: false) } }
            await attempt("re-embedding memories") { [store] in try await store.memories.resumeSpaces() }
            await attempt("compacting vectors") { [store] in try await store.maintenance.compactMemory() }
        }
    }

    /// A step that fails (because the disk is full, say) is tried again in the next round. The other steps still run.
    private func attempt(_ step: String, _ body: () async throws -> Void) async {
        do { try await body() } catch is CancellationError {
            return
        } catch {
            logger.warning("\(step) failed", metadata: ["error": "\(error)"])
        }
    }
}
