import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging
import ServiceLifecycle
import Synchronization

/// Delivers notifications of what has finished. It runs in every worker process; a notification is delivered by one process at a time,
/// and retried until it arrives or is given up.
///
/// Delivery is at least once: if a process dies after delivering and before recording that, another process delivers the notification
/// again under the same id.
///
/// Each target, a configured webhook or command, has its own slots and its own circuit breaker, so that one that hangs delays no other.
package final class NotificationDispatcher: Service {
    private let store: QueueStore
    private let sender: any NotificationSender
    private let logger: Logger
    private let deliversRest: @Sendable () -> Bool
    private let restLimit: Duration
    private let attention = WakeSignal()
    private let state = Mutex(State())

    private struct State {
        var targets: [String: TargetState] = [:]
        var isStopping = false

        var underWay: Int { targets.values.reduce(0) { $0 + $1.underWay } }
    }

    private struct TargetState {
        var underWay = 0
        var breaker = CircuitBreaker()

        /// How many deliveries may begin now.
        func free(now: Int64) -> Int {
            switch breaker.admission(now: now) {
            case .all: NotificationDispatcher.slots - underWay
            case .probe: 1
            case .none: 0
            }
        }
    }

    /// The maximum number of deliveries to one target that are under way in one process.
    package static let slots = 16
    /// How many deliveries in a row must find nobody before a target is left alone, and for how long.
    private static let breaker = CircuitBreaker.Policy(failureRate: 1, consecutive: 5, openFor: 30_000)
    /// How long after an attempt's timeout another process may make one, in ms: the attempt may end late.
    static let margin: Int64 = 5_000
    /// The bounds of a notification that is not configured here, but may be elsewhere.
    static let unknown = (timeout: Int64(0), maxAttempts: 10)
    private static let backoff = Backoff(base: 10_000, cap: 3_600_000, floor: 1_000)

    /// For breakers, CLOCK_MONOTONIC in ms: the wall clock may be set back.
    private static var now: Int64 { platform_monotonic_ns() / 1_000_000 }

    /// Makes one.
    /// - Parameters:
    ///   - deliversRest: asked on shutdown: whether to make one more attempt at everything that is due. If not, attempts under way are
    ///     cancelled.
    ///   - restLimit: how long that may take. What is left then is for the next process.
    package init(
        store: QueueStore, sender: any NotificationSender, logger: Logger, deliversRest: @escaping @Sendable () -> Bool = { false },
        restLimit: Duration = .seconds(30)
    ) {
        self.store = store
        self.sender = sender
        self.logger = logger
        self.deliversRest = deliversRest
        self.restLimit = restLimit
    }

    /// Looks for due notifications now.
    package func call() { attention.call() }

    /// Runs until the task is cancelled or a graceful shutdown begins.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                attention.call()
                for await _ in attention.stream {
                    if state.withLock({ $0.isStopping }) || Task.isCancelled { break }
                    await deliverDue(in: &group)
                }
                if !Task.isCancelled, deliversRest() { await deliverRest(in: &group) }
                group.cancelAll()
            }
        } onGracefulShutdown: { [self] in
            beginShutdown()
        }
    }

    /// Ends the deliveries, with or without the rest.
    func beginShutdown() {
        state.withLock { $0.isStopping = true }
        attention.call()
    }

    /// Makes one more attempt at everything that is due, as far as there is time and targets answer.
    private func deliverRest(in group: inout DiscardingTaskGroup) async {
        let end = ContinuousClock.now + restLimit
        group.addTask { [attention] in
            // Cancelled when there is nothing left to deliver.
            try? await Task.sleep(until: end)
            attention.call()
        }
        while await deliverDue(in: &group) > 0 || state.withLock({ $0.underWay }) > 0 {
            if Task.isCancelled || ContinuousClock.now >= end { break }
            var looks = attention.stream.makeAsyncIterator()
            _ = await looks.next()
        }
        do {
            let left = try store.notifications.undeliveredCount()
            guard left > 0 else { return }
            logger.warning(
                "\(left == 1 ? "1 notification is" : "\(left) notifications are") left for the next worker",
                metadata: ["notifications": .stringConvertible(left)])
        } catch {
            logger.warning("undelivered notifications could not be counted", metadata: ["error": "\(error)"])
        }
    }

    /// Starts due deliveries, as far as their targets have free slots. Returns how many it started.
    @discardableResult
    private func deliverDue(in group: inout DiscardingTaskGroup) async -> Int {
        var started = 0
        do {
            // Reading is cheaper than a transaction, and there is usually nothing due.
            guard let due = try store.notifications.nextDue(), due <= store.clock.wall() else { return 0 }
            for target in try store.notifications.dueTargets() {
                let now = Self.now
                let free = state.withLock { $0.targets[target, default: TargetState()].free(now: now) }
                guard free > 0 else { continue }
                let lease = (sender.bounds(of: target) ?? Self.unknown).timeout + Self.margin
                let claimed = try await store.notifications.claim(target, limit: free, lease: lease)
                state.withLock { state in
                    state.targets[target, default: TargetState()].underWay += claimed.count
                    if let probe = claimed.first { state.targets[target]?.breaker.beginProbe(probe.id) }
                }
                for notification in claimed {
                    group.addTask { [self] in
                        await deliver(notification)
                        state.withLock { $0.targets[target]?.underWay -= 1 }
                        attention.call()
                    }
                }
                started += claimed.count
            }
        } catch {
            logger.warning("due notifications could not be read", metadata: ["error": "\(error)"])
        }
        return started
    }

    /// Takes an outcome into account for the deliveries that follow to the same target.
    private func record(_ outcome: NotificationOutcome, of notification: JobNotification) {
        let now = Self.now
        let hasOpened = state.withLock { state in
            let before = state.targets[notification.notification, default: TargetState()].breaker
            var breaker = before
            switch outcome {
            case .delivered, .failed, .refused: breaker.record(notification.id, succeeded: true, now: now, Self.breaker)
            case .unanswered: breaker.record(notification.id, succeeded: false, now: now, Self.breaker)
            case .broken: breaker.abandonProbe(notification.id, now: now)
            }
            state.targets[notification.notification]?.breaker = breaker
            guard case .closed = before.state, case .open = breaker.state else { return false }
            return true
        }
        guard hasOpened else { return }
        logger.warning(
            "notification '\(notification.notification)' is left alone for \(DurationText.format(.milliseconds(Self.breaker.openFor))): its target does not answer",
            metadata: ["notification": "\(notification.notification)"])
    }

    private func deliver(_ notification: JobNotification) async {
        let bounds = sender.bounds(of: notification.notification)
        let outcome =
            bounds == nil
            ? .failed("the configuration here has no notification '\(notification.notification)'") : await sender.send(notification)
        record(outcome, of: notification)
        let maxAttempts = (bounds ?? Self.unknown).maxAttempts
        let retryAt = notification.attempts < maxAttempts ? store.clock.wall() + wait(after: notification.attempts, outcome) : nil
        do {
            try await store.notifications.settle(notification, outcome, retryAt: retryAt)
        } catch {
            // The claim expires, and the notification is delivered again.
            logger.warning("the delivery of notification \(notification.id) could not be recorded", metadata: ["error": "\(error)"])
        }
        log(notification, outcome, isGivenUp: retryAt == nil)
    }

    private func wait(after attempt: Int, _ outcome: NotificationOutcome) -> Int64 {
        var generator = SystemRandomNumberGenerator()
        let usual = Self.backoff.delay(afterAttempt: attempt, using: &generator)
        guard case .failed(_, let asked?) = outcome else { return usual }
        return max(usual, asked)
    }

    private func log(_ notification: JobNotification, _ outcome: NotificationOutcome, isGivenUp: Bool) {
        let what = "notification '\(notification.notification)' of \(notification.kind.rawValue) \(notification.subject)"
        switch outcome {
        case .delivered: logger.debug("\(what) delivered")
        case .broken: break
        case .refused(let reason):
            logger.warning("\(what) given up", metadata: ["reason": "\(reason)"])
        case .failed(let reason, _), .unanswered(let reason):
            logger.warning("\(what) \(isGivenUp ? "given up" : "failed")", metadata: ["reason": "\(reason)"])
        }
    }
}
