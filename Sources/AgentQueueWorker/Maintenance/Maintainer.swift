import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging
import ServiceLifecycle

/// Keeps the queue moving, in every worker process: promotes what is due, rescues what a dead worker held, ends what has
/// expired, tells dependents, and fires schedules. Every step is safe to run in any number of processes at once.
package final class Maintainer: Service {
    private let store: QueueStore
    private let planner: (any RunPlanner)?
    private let logger: Logger
    /// The time between two looks at what need not be done at once, in ms.
    private let tidying: Int64
    private let firer: ScheduleFirer?
    private let onNotification: @Sendable () -> Void

    /// How long a round waits after the ring that called for it, in ms. Rings come with every commit.
    private static let pause: Int64 = 5
    /// The shortest time between two looks at the list of workers, in ms. A new one is watched as late as that.
    private static let shortestRefresh: Int64 = 50

    /// Makes one.
    /// - Parameters:
    ///   - planner: decides what runs do next; nil leaves them to others.
    ///   - tidying: the time between two looks at what need not be done at once, in ms; a minute unless told.
    ///   - firings: makes what schedules add; nil fires none.
    ///   - onNotification: told when somebody is to be told of an end.
    package init(
        store: QueueStore, planner: (any RunPlanner)? = nil, logger: Logger, tidying: Int64 = 60_000,
        firings: (any FiringMaker)? = nil, onNotification: @escaping @Sendable () -> Void = {}
    ) {
        firer = firings.map { ScheduleFirer(store: store, maker: $0, logger: logger) }
        self.onNotification = onNotification
        self.store = store
        self.planner = planner
        self.logger = logger
        self.tidying = tidying
    }

    /// Works until the task is cancelled or asked to stop.
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
                // Beside the rounds: it may take a while, and nothing that is due waits for it.
                group.addTask { [self] in await tidy() }
                group.addTask { await timer.run() }
                var lastRefresh: Int64 = 0
                for await _ in attention.stream {
                    // First the claim that the same ring calls for: upkeep can wait a moment, and takes later rings along.
                    try? await Task.sleep(for: .milliseconds(Self.pause))
                    if Task.isCancelled { break }
                    let now = platform_monotonic_ns() / 1_000_000
                    var nextRefresh: Int64?
                    if now - lastRefresh >= Self.shortestRefresh {
                        peers.refresh()
                        lastRefresh = now
                    } else {
                        // The ring may have been that of a new worker.
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

    /// One round of everything; returns when something is next due (wall clock, ms).
    private func round() async -> Int64? {
        var duties = PendingMaintenance()
        await attempt("looking after the queue") { [store] in duties = try store.duties() }
        if duties.mayRescue { await attempt("rescue") { [store] in try await store.rescue(except: store.locks.ownWorkers) } }
        if duties.hasExpired { await attempt("expiry") { [store] in while try await store.expire() > 0 {} } }
        if duties.hasCascade { await attempt("cascade") { [store] in while try await store.cascade() {} } }
        if duties.hasFanOut { await attempt("landing") { [store] in while try await store.fanOut() {} } }
        if duties.hasDueRun, let planner { await attempt("carrying on with runs") { try await resume(planner) } }
        if duties.hasSweep { await attempt("stopping the calls of runs") { [store] in while try await store.sweepRuns() {} } }
        var nextDue = duties.nextDue
        if let due = nextDue, due <= store.clock.wall() {
            await attempt("promotion") { [store] in
                var promoted = 0
                repeat { (promoted, nextDue) = try await store.promote() } while promoted > 0
            }
        }
        return [nextDue, await fire(duties.nextFiring), tell(duties.nextNotification)].compactMap(\.self).min()
    }

    /// Fires what is due; returns when a schedule is next.
    private func fire(_ due: Int64?) async -> Int64? {
        guard let firer, let due, due <= store.clock.wall() else { return firer == nil ? nil : due }
        // Where the store fails, the next round tries again, which comes in a second.
        var next: Int64?
        await attempt("firing schedules") { next = try await firer.fireDue() }
        return next
    }

    /// Has the notices told that are due; returns when the next will be, if it is not yet.
    private func tell(_ due: Int64?) -> Int64? {
        guard let due, due <= store.clock.wall() else { return due }
        onNotification()
        return nil
    }

    /// Tells runs of ends that came by other ways than the settlement of a step, and begins what comes next.
    private func resume(_ planner: any RunPlanner) async throws {
        var goesOn = true
        while goesOn {
            goesOn = try await store.resume(runs: planner) { [logger] run, end in
                logger.info("run \(run) \(end.state.rawValue)", metadata: end.reason.map { ["reason": "\($0)"] } ?? [:])
            }
        }
    }

    /// What need not be done at once: vectors are put together, and those that another model makes are gone on with.
    private func tidy() async {
        while (try? await Task.sleep(for: .milliseconds(tidying))) != nil {
            await attempt("making vectors by another model") { [store] in try await store.carryOnSpaces() }
            await attempt("tidying the vectors") { [store] in try await store.compactMemory() }
        }
    }

    /// A step that fails (the disk is full, say) is tried again in the next round; the others go on.
    private func attempt(_ step: String, _ body: () async throws -> Void) async {
        do { try await body() } catch is CancellationError {
            return
        } catch {
            logger.warning("\(step) failed", metadata: ["error": "\(error)"])
        }
    }
}
