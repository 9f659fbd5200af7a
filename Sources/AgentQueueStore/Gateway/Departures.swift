import AgentQueueModel
import Synchronization

/// The calls whose end a client has been sent, until the next transaction writes it down.
final class ReceivedCalls: Sendable {
    private let calls = Mutex<Set<Int64>>([])

    func insert(_ new: some Sequence<Int64>) { calls.withLock { $0.formUnion(new) } }

    func take() -> Set<Int64> {
        calls.withLock { calls in
            defer { calls.removeAll(keepingCapacity: true) }
            return calls
        }
    }
}

extension GatewayStore {
    /// Records that clients have been sent the end of these calls. It is written with the next transaction of the gateway, or by
    /// ``flush()``: a record that a crash loses only lets a repetition of the request have the same answer once more.
    package func received(_ calls: some Sequence<Int64>) { store.receivedCalls.insert(calls) }

    /// Writes down what ``received(_:)`` has collected.
    package func flush() async throws {
        let received = store.receivedCalls.take()
        if !received.isEmpty { try await writing(received) { _ in } }
    }

    /// Records that the last client of these calls at this process has left. What has not been received can be attached to from now on.
    /// - Parameters:
    ///   - calls: the jobs that speak for their calls.
    ///   - server: this process, as registered.
    ///   - expiresAt: when their jobs expire that have not begun by then (wall clock, in milliseconds); nil for never.
    /// - Returns: the calls that nobody waits for now, in any process.
    @discardableResult
    package func left(_ calls: [Int64], server: Int64, expiresAt: Int64? = nil) async throws -> Set<Int64> {
        try await writing { transaction in
            var abandoned: Set<Int64> = []
            for call in calls where try transaction.lose(call, server: server) {
                abandoned.insert(call)
                if let expiresAt { try transaction.letExpire(call, at: expiresAt) }
            }
            return abandoned
        }
    }

    /// Cancels the jobs of those calls that nobody has attached to since they lost their clients. A call that identical jobs wait for goes
    /// on for them.
    /// - Parameter onlyBegun: whether calls that no job has begun are left alone: they expire.
    /// - Returns: the calls that were cancelled.
    @discardableResult
    package func cancelAbandoned(_ calls: [Int64], server: Int64, onlyBegun: Bool = false) async throws -> Set<Int64> {
        try await writing { transaction in
            var cancelled: Set<Int64> = []
            for call in calls where try transaction.isAbandoned(call, server: server) {
                if onlyBegun, try !transaction.hasBegun(call) { continue }
                for job in try transaction.jobs(ofCall: call) { try transaction.cancel(job) }
                cancelled.insert(call)
            }
            return cancelled
        }
    }

    /// Runs an operation in a transaction that also writes down which calls have been received.
    func writing<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await writing(store.receivedCalls.take(), operation)
    }

    private func writing<Value: Sendable>(
        _ received: Set<Int64>, _ operation: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        do {
            return try await write { transaction in
                try transaction.receive(received)
                return try operation(transaction)
            }
        } catch {
            store.receivedCalls.insert(received)
            throw error
        }
    }
}

extension WriteTransaction {
    fileprivate func receive(_ calls: Set<Int64>) throws(SQLFailure) {
        for call in calls {
            try statement("UPDATE gateway_calls SET received_at = ? WHERE job_id = ?").bind(now).bind(call).run()
        }
    }

    /// Returns whether nobody waits for the call now. Who waits at another process cannot be told, once several have been concerned.
    fileprivate func lose(_ call: Int64, server: Int64) throws(SQLFailure) -> Bool {
        let lost = try statement(
            "UPDATE gateway_calls SET lost_at = ? WHERE job_id = ? AND choice = 0 AND server_id = ? AND received_at IS NULL"
        ).bind(now).bind(call).bind(server).run()
        guard lost == 1 else { return false }
        return try isAbandoned(call, server: server)
    }

    fileprivate func isAbandoned(_ call: Int64, server: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT 1 FROM gateway_calls
            WHERE job_id = ? AND server_id = ? AND lost_at IS NOT NULL AND received_at IS NULL AND is_shared = 0
            """
        ).bind(call).bind(server).exists()
    }

    fileprivate func hasBegun(_ call: Int64) throws(SQLFailure) -> Bool {
        for job in try jobs(ofCall: call) {
            let isWaiting = try statement("SELECT 1 FROM jobs WHERE id = ? AND +state <> 'running' AND attempt = 0").bind(job).exists()
            if !isWaiting { return true }
        }
        return false
    }

    fileprivate func jobs(ofCall call: Int64) throws(SQLFailure) -> [Int64] {
        [call]
            + (try statement("SELECT job_id FROM gateway_calls WHERE call_id = ? AND choice > 0 ORDER BY choice").bind(call).all {
                $0.int64(0)
            })
    }

    fileprivate func letExpire(_ call: Int64, at time: Int64) throws(SQLFailure) {
        for job in try jobs(ofCall: call) {
            try statement(
                """
                UPDATE jobs SET expires_at = coalesce(min(expires_at, ?1), ?1)
                WHERE id = ?2 AND finalized_at IS NULL AND +state <> 'running' AND attempt = 0
                """
            ).bind(time).bind(job).run()
        }
    }
}
