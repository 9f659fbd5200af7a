import AgentQueueStore
import Glibc
import Synchronization

/// Whether workers of other processes may take the jobs of requests. Then answers and their pieces come through the database.
final class OtherWorkers: Sendable {
    private let store: QueueStore
    private let known = Mutex<(at: Int64, live: Bool)?>(nil)

    /// How long the result of a look counts as current, in ms.
    private static let memory: Int64 = 5_000

    init(_ store: QueueStore) { self.store = store }

    /// Whether such a worker served a queue within the last seconds.
    func live() -> Bool {
        let now = store.clock.boot()
        if let known = known.withLock(\.self), now - known.at < Self.memory { return known.live }
        let own = Int64(getpid())
        // Without an answer the usual case is assumed: a stream then shows its text at once instead of piece by piece.
        let workers = (try? store.maintenance.workers()) ?? []
        let live = workers.contains { $0.pid != own && $0.queues?.isEmpty != true && store.maintenance.isRunning($0) }
        known.withLock { $0 = (now, live) }
        return live
    }
}
