import AgentQueueModel
import Glibc

extension ClaimStore {
    /// Registers a worker: its row and, inside the same transaction, the lock on its byte.
    package func registerWorker() async throws -> WorkerRegistration {
        let locks = locks
        let bootID = clock.bootID()
        let locked = LockedValue<Int64?>(nil)
        let id = try await write { transaction in
            let id =
                try transaction.statement("INSERT INTO workers (pid, boot_id, started_at) VALUES (?, ?, ?)")
                .bind(Int64(getpid())).bind(bootID).bind(transaction.now).insertedID() ?? 0
            // This may be the second time the operation runs, and another process may have had the number in between.
            if let earlier = locked.value, earlier != id { locks.unlock(worker: earlier) }
            try locks.lock(worker: id)
            locked.value = id
            // So that its peers begin to watch it.
            transaction.ledger.ringWork()
            return id
        }
        return WorkerRegistration(id: id, calls: locks.calls(of: id))
    }

    /// Ends a worker that has settled or handed back all its jobs.
    package func unregisterWorker(_ id: Int64) async throws {
        try await write { transaction in
            _ = try transaction.statement(
                """
                DELETE FROM workers WHERE id = ?1 AND NOT EXISTS (
                    SELECT 1 FROM jobs WHERE state = 'running' AND lease_expires_at IS NOT NULL AND worker_id = ?1)
                """
            ).bind(id).run()
        }
        locks.unlock(worker: id)
    }
}

extension MaintenanceStore {
    /// The registered workers.
    package func workers() throws -> [WorkerSummary] {
        try read { reader in
            try reader.statement(
                """
                SELECT id, pid, boot_id, started_at,
                (SELECT count(*) FROM jobs INDEXED BY jobs_running
                 WHERE state = 'running' AND lease_expires_at IS NOT NULL AND worker_id = workers.id)
                FROM workers ORDER BY id
                """
            ).all { row in
                WorkerSummary(id: row.int64(0), pid: row.int64(1), bootID: row.text(2), startedAt: row.int64(3), running: row.int(4))
            }
        }
    }
}

/// A worker process's place in the database: its number, and the shared memory where it notes its calls.
package struct WorkerRegistration: Sendable {
    /// Its number, never used again.
    package let id: Int64
    /// Where it notes which calls have begun; nil where there is no room, and every attempt counts.
    package let calls: CallRegion?
}

/// A registered worker process.
package struct WorkerSummary: Sendable, Equatable {
    /// Its number, never used again; also its byte in the lock file.
    package var id: Int64
    /// Its process id.
    package var pid: Int64
    /// The boot its leases count from.
    package var bootID: String
    /// Wall clock, ms.
    package var startedAt: Int64
    /// Jobs under its leases.
    package var running: Int
}

/// Renews leases on a connection of its own, so that no long commit of the writer can make a worker look dead.
///
/// Confined to the thread that made it. A heartbeat need not survive a power cut, which ends all leases anyway: hence
/// `synchronous=NORMAL`.
package final class Heartbeat {
    private let connection: WriteConnection
    private let clock: StoreClock
    private let path: String

    /// Opens the connection.
    /// - Throws: `StoreError`.
    package init(_ store: QueueStore) throws {
        clock = store.clock
        path = store.path
        do {
            connection = try WriteConnection(path: store.path, durability: .normal)
        } catch {
            throw error.asStoreError(path: store.path)
        }
    }

    /// Moves the deadlines of leases to `lease` ms from now. Each is renewed only under its token.
    /// - Returns: the leases that are lost: the job has another token by now, or none.
    /// - Throws: `StoreError`.
    package func renew(_ leases: [Lease], for lease: Int64) throws -> [Lease] {
        guard !leases.isEmpty else { return [] }
        let deadline = clock.boot() + lease
        var lost: [Lease] = []
        do {
            // Jobs that share calls are many: each transaction is short.
            for start in stride(from: 0, to: leases.count, by: Self.slice) {
                let slice = leases[start..<min(start + Self.slice, leases.count)]
                try connection.hold {
                    try connection.begin()
                    do {
                        for lease in slice {
                            let renewed = try connection.statement(
                                "UPDATE jobs SET lease_expires_at = ? WHERE id = ? AND +state = 'running' AND token = ?"
                            ).bind(deadline).bind(lease.jobID).bind(lease.token).run()
                            if renewed == 0 { lost.append(lease) }
                        }
                        try connection.commit()
                    } catch {
                        connection.rollback()
                        throw error
                    }
                }
            }
        } catch {
            throw error.asStoreError(path: path)
        }
        return lost
    }

    /// How many leases one transaction renews.
    private static let slice = 500

    /// Closes the connection.
    package func close() { connection.close() }
}
