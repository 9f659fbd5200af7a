import AgentQueueModel
import AgentQueueStore
import Logging
import ServiceLifecycle
import Synchronization

/// Delivers notifications of what has finished. It runs in every worker process; a notification is delivered by one process at a time,
/// and retried until it arrives or is given up.
///
/// Delivery is at least once: if a process dies after delivering and before recording that, another process delivers the notification
/// again under the same id.
package final class NotificationDispatcher: Service {
    private let store: QueueStore
    private let sender: any NotificationSender
    private let logger: Logger
    private let deliversRest: @Sendable () -> Bool
    private let attention = WakeSignal()
    private let state = Mutex(State())

    private struct State {
        var underWay = 0
        var isStopping = false
    }

    /// The maximum number of deliveries under way in one process.
    private static let maxAtOnce = 16
    /// How long after an attempt's timeout another process may make one, in ms: the attempt may end late.
    static let margin: Int64 = 5_000
    /// The bounds of a notification that is not configured here, but may be elsewhere.
    static let unknown = (timeout: Int64(0), maxAttempts: 10)
    private static let backoff = Backoff(base: 10_000, cap: 3_600_000, floor: 1_000)

    /// Makes one.
    /// - Parameters:
    ///   - deliversRest: asked on shutdown: whether to make one more attempt at everything that is due. If not, attempts under way are
    ///     cancelled.
    package init(
        store: QueueStore, sender: any NotificationSender, logger: Logger, deliversRest: @escaping @Sendable () -> Bool = { false }
    ) {
        self.store = store
        self.sender = sender
        self.logger = logger
        self.deliversRest = deliversRest
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
                guard !Task.isCancelled, deliversRest() else { return group.cancelAll() }
                while await deliverDue(in: &group) > 0 || state.withLock({ $0.underWay }) > 0 {
                    if Task.isCancelled { break }
                    var looks = attention.stream.makeAsyncIterator()
                    _ = await looks.next()
                }
            }
        } onGracefulShutdown: { [self] in
            state.withLock { $0.isStopping = true }
            attention.call()
        }
    }

    /// Starts due deliveries, up to the limit. Returns how many it started.
    @discardableResult
    private func deliverDue(in group: inout DiscardingTaskGroup) async -> Int {
        let free = Self.maxAtOnce - state.withLock { $0.underWay }
        guard free > 0 else { return 0 }
        do {
            // Reading is cheaper than a transaction, and there is usually nothing due.
            guard let due = try store.notifications.nextDue(), due <= store.clock.wall() else { return 0 }
            let claimed = try await store.notifications.claim(limit: free) { [sender] in
                (sender.bounds(of: $0) ?? Self.unknown).timeout + Self.margin
            }
            state.withLock { $0.underWay += claimed.count }
            for notification in claimed {
                group.addTask { [self] in
                    await deliver(notification)
                    state.withLock { $0.underWay -= 1 }
                    attention.call()
                }
            }
            return claimed.count
        } catch {
            logger.warning("due notifications could not be read", metadata: ["error": "\(error)"])
            return 0
        }
    }

    private func deliver(_ notification: JobNotification) async {
        let bounds = sender.bounds(of: notification.notification)
        let outcome =
            bounds == nil
            ? .failed("the configuration here has no notification '\(notification.notification)'") : await sender.send(notification)
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
        case .failed(let reason, _):
            logger.warning("\(what) \(isGivenUp ? "given up" : "failed")", metadata: ["reason": "\(reason)"])
        }
    }
}
