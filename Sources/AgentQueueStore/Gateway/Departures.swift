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

    /// Records that the last client of a call at this process has left. What has not been received can be attached to from now on.
    /// - Parameters:
    ///   - call: the job that speaks for the call.
    ///   - client: the latest of its clients that this process knows of. If another has come since, its departure is the one that counts.
    ///   - server: this process, as registered.
    ///   - expiresAt: when its jobs expire that have not begun by then (wall clock, in milliseconds); nil for never.
    /// - Returns: whether nobody waits for the call now, in any process.
    @discardableResult
    package func left(_ call: Int64, client: Int64, server: Int64, expiresAt: Int64? = nil) async throws -> Bool {
        try await writing { transaction in
            guard try transaction.lose(call, client: client, server: server) else { return false }
            if let expiresAt { try transaction.letExpire(call, at: expiresAt) }
            return true
        }
    }

    /// Cancels the jobs of a call that nobody has attached to since it lost its clients. A call that identical jobs wait for goes on for
    /// them.
    /// - Parameters:
    ///   - client: as in ``left(_:client:server:expiresAt:)``.
    ///   - onlyBegun: whether a call that no job has begun is left alone: it expires.
    /// - Returns: whether it was cancelled.
    @discardableResult
    package func cancelAbandoned(_ call: Int64, client: Int64, server: Int64, onlyBegun: Bool = false) async throws -> Bool {
        try await writing { transaction in
            guard try transaction.isAbandoned(call, client: client, server: server) else { return false }
            if onlyBegun, try !transaction.hasBegun(call) { return false }
            for job in try transaction.jobs(ofCall: call) { try transaction.cancel(job) }
            return true
        }
    }

    /// Cancels the jobs of a call whose last client waits no longer, unless one of them has begun: what is paid for is worth waiting for.
    /// - Parameter client: as in ``left(_:client:server:expiresAt:)``. If another has come since, the jobs stay for it.
    /// - Returns: whether the client need not wait; false if a job has begun.
    package func giveUp(_ call: Int64, client: Int64, server: Int64) async throws -> Bool {
        try await writing { transaction in
            let jobs = try transaction.jobs(ofCall: call)
            for job in jobs {
                let waits = try transaction.statement("SELECT 1 FROM jobs WHERE id = ? AND finalized_at IS NULL AND +state <> 'running'")
                guard try waits.bind(job).exists() else { return false }
            }
            guard try transaction.lose(call, client: client, server: server) else { return true }
            for job in jobs { try transaction.cancel(job) }
            return true
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
    fileprivate func lose(_ call: Int64, client: Int64, server: Int64) throws(SQLFailure) -> Bool {
        let lost = try statement(
            """
            UPDATE gateway_calls SET lost_at = ?
            WHERE job_id = ? AND choice = 0 AND server_id = ? AND clients = ? AND received_at IS NULL
            """
        ).bind(now).bind(call).bind(server).bind(client).run()
        guard lost == 1 else { return false }
        return try isAbandoned(call, client: client, server: server)
    }

    fileprivate func isAbandoned(_ call: Int64, client: Int64, server: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT 1 FROM gateway_calls
            WHERE job_id = ? AND server_id = ? AND clients = ? AND lost_at IS NOT NULL AND received_at IS NULL AND is_shared = 0
            """
        ).bind(call).bind(server).bind(client).exists()
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
