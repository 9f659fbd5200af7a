import AgentQueueModel
import AgentQueueStore
import Logging
import Synchronization

/// What becomes of calls whose clients have left.
///
/// A client that leaves may be back in a moment, by the retry of its SDK. So nothing ends at once unless it was asked for, and a call that
/// somebody waits for again, here or at another process, goes on.
final class Departures: Sendable {
    /// How long a job that has not begun waits for a client to come back.
    private static let expiry: Int64 = 60_000
    /// How long a streamed call goes on without a client.
    static let patience: Duration = .seconds(10)

    private struct Departure: Sendable {
        var call: Int64
        /// The latest client that had come.
        var client: Int64
        var policy: DisconnectPolicy
        var isStreamed: Bool
    }

    private let store: QueueStore
    private let server: Int64
    private let patience: Duration
    private let isViewed: @Sendable (Int64) -> Bool
    private let logger: Logger
    private let departures: AsyncStream<Departure>
    private let continuation: AsyncStream<Departure>.Continuation

    /// - Parameters:
    ///   - server: this process, as registered.
    ///   - patience: how long a streamed call goes on without a client.
    ///   - isViewed: whether somebody at this process reads a job's answer without being a client of its call: it is not cancelled then.
    init(
        _ store: QueueStore, server: Int64, patience: Duration = Departures.patience, logger: Logger,
        isViewed: @escaping @Sendable (Int64) -> Bool
    ) {
        self.store = store
        self.isViewed = isViewed
        self.server = server
        self.patience = patience
        self.logger = logger
        (departures, continuation) = AsyncStream.makeStream()
    }

    /// The last client of a call has left before the end.
    /// - Parameter client: the latest that had come.
    func left(_ call: Int64, client: Int64, _ policy: DisconnectPolicy, isStreamed: Bool) {
        continuation.yield(Departure(call: call, client: client, policy: policy, isStreamed: isStreamed))
    }

    /// Handles departures until the task is cancelled, or ``finish()`` is called and all are handled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await departure in departures { group.addTask { [self] in await handle(departure) } }
            // A gateway that stops cancels nothing by itself: another may serve the clients that come back.
            group.cancelAll()
        }
    }

    /// No more departures follow.
    func finish() { continuation.finish() }

    private func handle(_ departure: Departure) async {
        do {
            let expiresAt: Int64? = departure.policy == .auto ? store.clock.wall() + Self.expiry : nil
            let isAbandoned = try await store.gateway.left(
                departure.call, client: departure.client, server: server, expiresAt: expiresAt)
            guard isAbandoned else { return }
            switch departure.policy {
            case .finish: return
            case .auto:
                guard departure.isStreamed, (try? await Task.sleep(for: patience)) != nil else { return }
                let isOver = try await cancel(departure, onlyBegun: true)
                // One that waits may begin until it expires.
                guard !isOver, (try? await Task.sleep(for: .milliseconds(Self.expiry) - patience)) != nil else { return }
                try await cancel(departure)
            case .cancel: try await cancel(departure)
            }
        } catch {
            logger.warning("a client left, and its call could not be ended", metadata: ["job": "\(departure.call)", "error": "\(error)"])
        }
    }

    /// Returns whether the call was cancelled, or is not to be.
    @discardableResult
    private func cancel(_ departure: Departure, onlyBegun: Bool = false) async throws -> Bool {
        guard !isViewed(departure.call) else { return true }
        return try await store.gateway.cancelAbandoned(
            departure.call, client: departure.client, server: server, onlyBegun: onlyBegun)
    }
}
