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

    private struct State {
        /// What was found last, and when.
        var finding: (obstacle: Obstacle?, at: ContinuousClock.Instant)?
        /// The commit that is waited for: whether it succeeds. There is one at most, however long the database is busy.
        var commit: Task<Bool, Never>?
    }

    private static let leastDisk: Int64 = 64 << 20
    /// How long a commit may take, and how long its outcome is remembered.
    private static let bound: Duration = .seconds(1)

    private let store: QueueStore
    private let isStopping: @Sendable () -> Bool
    private let state = Mutex(State())

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
        if let last = state.withLock(\.finding), last.at.duration(to: .now) < Self.bound { return last.obstacle }
        let obstacle = await find()
        state.withLock { $0.finding = (obstacle, .now) }
        return obstacle
    }

    private func find() async -> Obstacle? {
        if let free = store.maintenance.freeDiskBytes(), free < Self.leastDisk { return .disk }
        let commit = state.withLock { state in
            if let commit = state.commit { return commit }
            let commit = Task { await commits() }
            state.commit = commit
            return commit
        }
        return await Self.value(of: commit, within: Self.bound) == true ? nil : .database
    }

    private func commits() async -> Bool {
        defer { state.withLock { $0.commit = nil } }
        do {
            try await store.maintenance.commitProbe()
            return true
        } catch {
            return false
        }
    }

    /// The value of a task that may go on for longer than it is waited for; nil if it does.
    private static func value(of task: Task<Bool, Never>, within time: Duration) async -> Bool? {
        let (values, continuation) = AsyncStream<Bool?>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let timer = Task {
            // Cancellation means that the task was faster.
            try? await Task.sleep(for: time)
            continuation.yield(nil)
        }
        Task { continuation.yield(await task.value) }
        defer { timer.cancel() }
        for await value in values { return value }
        return nil
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
