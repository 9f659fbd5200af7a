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
        var policy: DisconnectPolicy
        var isStreamed: Bool
    }

    private let store: QueueStore
    private let server: Int64
    private let patience: Duration
    private let logger: Logger
    private let departures: AsyncStream<Departure>
    private let continuation: AsyncStream<Departure>.Continuation

    /// - Parameters:
    ///   - server: this process, as registered.
    ///   - patience: how long a streamed call goes on without a client.
    init(_ store: QueueStore, server: Int64, patience: Duration = Departures.patience, logger: Logger) {
        self.store = store
        self.server = server
        self.patience = patience
        self.logger = logger
        (departures, continuation) = AsyncStream.makeStream()
    }

    /// The last client of a call has left before the end.
    func left(_ call: Int64, _ policy: DisconnectPolicy, isStreamed: Bool) {
        continuation.yield(Departure(call: call, policy: policy, isStreamed: isStreamed))
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
            let abandoned = try await store.gateway.left([departure.call], server: server, expiresAt: expiresAt)
            guard abandoned.contains(departure.call) else { return }
            switch departure.policy {
            case .finish: return
            case .auto:
                guard departure.isStreamed, (try? await Task.sleep(for: patience)) != nil else { return }
                let cancelled = try await store.gateway.cancelAbandoned([departure.call], server: server, onlyBegun: true)
                // One that waits may begin until it expires.
                guard !cancelled.contains(departure.call), (try? await Task.sleep(for: .milliseconds(Self.expiry) - patience)) != nil else {
                    return
                }
                _ = try await store.gateway.cancelAbandoned([departure.call], server: server)
            case .cancel: _ = try await store.gateway.cancelAbandoned([departure.call], server: server)
            }
        } catch {
            logger.warning("a client left, and its call could not be ended", metadata: ["job": "\(departure.call)", "error": "\(error)"])
        }
    }
}
