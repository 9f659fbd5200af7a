import AgentQueueModel
import AgentQueueStore
import HTTPTypes
import Synchronization

/// What monitoring asks: whether the process runs, and whether it takes calls.
final class Health: Sendable {
    /// Why no calls are taken.
    private enum Obstacle: String {
        case stopping
        case database
        case disk
    }

    private struct Finding {
        var obstacle: Obstacle?
        var at: ContinuousClock.Instant
    }

    private static let leastDisk: Int64 = 64 << 20
    /// How long a commit may take, and how long its outcome is remembered.
    private static let bound: Duration = .seconds(1)

    private let store: QueueStore
    private let isStopping: @Sendable () -> Bool
    private let last = Mutex<Finding?>(nil)

    init(_ store: QueueStore, isStopping: @escaping @Sendable () -> Bool) {
        self.store = store
        self.isStopping = isStopping
    }

    var routes: [Route] {
        [
            Route(.get, "/health", scope: nil) { try await Self.answer($0, 200, ["status": "ok"]) },
            Route(.get, "/ready", scope: nil) { [self] exchange in
                guard let obstacle = await obstacle() else { return try await Self.answer(exchange, 200, ["status": "ready"]) }
                try await Self.answer(exchange, 503, ["status": "unready", "reason": .string(obstacle.rawValue)])
            },
            // Clients of Anthropic ask these two before anything else.
            Route(.head, "/", scope: nil) { try await Self.answer($0, 200, [:]) },
            Route(.head, "/api/hello", scope: nil) { try await Self.answer($0, 200, [:]) },
        ]
    }

    private func obstacle() async -> Obstacle? {
        if isStopping() { return .stopping }
        if let last = last.withLock({ $0 }), last.at.duration(to: .now) < Self.bound { return last.obstacle }
        let obstacle = await find()
        last.withLock { $0 = Finding(obstacle: obstacle, at: .now) }
        return obstacle
    }

    private func find() async -> Obstacle? {
        if let free = store.maintenance.freeDiskBytes(), free < Self.leastDisk { return .disk }
        let commits = await withTaskGroup(of: Bool.self) { [store] group in
            group.addTask {
                do {
                    try await store.maintenance.commitNothing()
                    return true
                } catch {
                    return false
                }
            }
            group.addTask {
                // Cancellation means that the commit was faster.
                try? await Task.sleep(for: Self.bound)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        return commits ? nil : .database
    }

    private static func answer(_ exchange: Exchange, _ status: Int, _ json: JSONValue) async throws {
        try await exchange.response.send(status, .json, body: json.utf8(sorted: false))
    }
}

extension HTTPFields {
    /// The headers of an answer in JSON.
    static var json: HTTPFields {
        var fields = HTTPFields()
        fields[.contentType] = "application/json"
        return fields
    }
}
