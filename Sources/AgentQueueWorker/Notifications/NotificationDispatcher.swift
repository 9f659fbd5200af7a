import AgentQueueModel
import AgentQueueStore
import Logging
import ServiceLifecycle
import Synchronization

/// Tells ends to those who watch them, in every worker process: each notice by one process at a time, again until it is told or
/// given up.
///
/// At least once: a process that dies between the telling and the note of it leaves the notice to another, which tells it again, under
/// the same id.
package final class NotificationDispatcher: Service {
    private let store: QueueStore
    private let sender: any NotificationSender
    private let logger: Logger
    private let tellsRest: @Sendable () -> Bool
    private let attention = WakeSignal()
    private let state = Mutex(State())

    private struct State {
        var underWay = 0
        var isStopping = false
    }

    /// Most notices that a process tells at a time.
    private static let mostAtOnce = 16
    /// How much longer than its timeout an attempt may seem to take, in ms, before another process makes one.
    static let margin: Int64 = 5_000
    /// What holds for a notification that is not configured here, and may be elsewhere.
    static let unknown = (timeout: Int64(0), maxAttempts: 10)
    private static let backoff = Backoff(base: 10_000, cap: 3_600_000, floor: 1_000)

    /// Makes one.
    /// - Parameters:
    ///   - tellsRest: asked when it is to stop: whether what is due is still to be told, once, before it does. Else attempts under way are
    ///     broken off.
    package init(
        store: QueueStore, sender: any NotificationSender, logger: Logger, tellsRest: @escaping @Sendable () -> Bool = { false }
    ) {
        self.store = store
        self.sender = sender
        self.logger = logger
        self.tellsRest = tellsRest
    }

    /// Has it look at once for notices that are due.
    package func call() { attention.call() }

    /// Works until the task is cancelled or asked to stop.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                attention.call()
                for await _ in attention.stream {
                    if state.withLock({ $0.isStopping }) || Task.isCancelled { break }
                    await tellDue(in: &group)
                }
                guard !Task.isCancelled, tellsRest() else { return group.cancelAll() }
                while await tellDue(in: &group) > 0 || state.withLock({ $0.underWay }) > 0 {
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

    /// Begins to tell what is due, as far as there is room. Returns how many.
    @discardableResult
    private func tellDue(in group: inout DiscardingTaskGroup) async -> Int {
        let room = Self.mostAtOnce - state.withLock { $0.underWay }
        guard room > 0 else { return 0 }
        do {
            // A look is cheaper than a transaction, and mostly enough.
            guard let due = try store.nextNotification(), due <= store.clock.wall() else { return 0 }
            let notices = try await store.claimNotifications(limit: room) { [sender] in
                (sender.bounds(of: $0) ?? Self.unknown).timeout + Self.margin
            }
            state.withLock { $0.underWay += notices.count }
            for notice in notices {
                group.addTask { [self] in
                    await tell(notice)
                    state.withLock { $0.underWay -= 1 }
                    attention.call()
                }
            }
            return notices.count
        } catch {
            logger.warning("the notices could not be read", metadata: ["error": "\(error)"])
            return 0
        }
    }

    private func tell(_ notice: JobNotification) async {
        let bounds = sender.bounds(of: notice.notification)
        let outcome =
            bounds == nil
            ? .failed("the configuration here has no notification '\(notice.notification)'") : await sender.send(notice)
        let maxAttempts = (bounds ?? Self.unknown).maxAttempts
        let retryAt = notice.attempts < maxAttempts ? store.clock.wall() + wait(after: notice.attempts, outcome) : nil
        do {
            try await store.settle(notice, outcome, retryAt: retryAt)
        } catch {
            // It is told again when its time is over.
            logger.warning("notice \(notice.id) could not be noted", metadata: ["error": "\(error)"])
        }
        say(notice, outcome, isGivenUp: retryAt == nil)
    }

    private func wait(after attempt: Int, _ outcome: NotificationOutcome) -> Int64 {
        var generator = SystemRandomNumberGenerator()
        let usual = Self.backoff.delay(afterAttempt: attempt, using: &generator)
        guard case .failed(_, let asked?) = outcome else { return usual }
        return max(usual, asked)
    }

    private func say(_ notice: JobNotification, _ outcome: NotificationOutcome, isGivenUp: Bool) {
        let what = "\(notice.kind.rawValue) \(notice.subject) by '\(notice.notification)'"
        switch outcome {
        case .delivered: logger.debug("told of \(what)")
        case .broken: break
        case .refused(let reason):
            logger.warning("telling of \(what) was given up", metadata: ["reason": "\(reason)"])
        case .failed(let reason, _):
            logger.warning("telling of \(what) \(isGivenUp ? "was given up" : "failed")", metadata: ["reason": "\(reason)"])
        }
    }
}
