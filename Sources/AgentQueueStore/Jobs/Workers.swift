import AgentQueueModel
import Glibc

extension ClaimStore {
    /// Registers a worker: inserts its row and, in the same transaction, locks its byte.
    /// - Parameter queues: the queues that it serves; nil for all.
    package func registerWorker(queues: Set<String>? = nil) async throws -> WorkerRegistration {
        let locks = locks
        let bootID = clock.bootID()
        let served = queues.map { JSONValue.array($0.sorted().map { .string($0) }).text }
        let locked = LockedValue<Int64?>(nil)
        do {
            let id = try await write { transaction in
                let id =
                    try transaction.statement("INSERT INTO workers (pid, boot_id, started_at, queues) VALUES (?, ?, ?, ?)")
                    .bind(Int64(getpid())).bind(bootID).bind(transaction.now).bind(served).insertedID() ?? 0
                // The operation may be running for the second time, and another process may have taken the earlier id in between.
                if let earlier = locked.value, earlier != id { locks.unlock(worker: earlier) }
                try locks.lock(worker: id)
                locked.value = id
                try transaction.recordFirstWorker(id)
                // Wake the other workers, so that they begin to watch this one.
                transaction.ledger.ringWork()
                return id
            }
            return WorkerRegistration(id: id, calls: locks.calls(of: id))
        } catch {
            // Nothing was committed, perhaps because the disk is full: another worker gets this id.
            if let id = locked.value { locks.unlock(worker: id) }
            throw error
        }
    }

    /// Removes a worker that has settled or handed back all its jobs, and unlocks its byte.
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

extension WriteTransaction {
    /// Records since when workers have been running, if this one is the first after a time without any. It tells a job that waited for a
    /// worker from one that waited for a free one.
    fileprivate func recordFirstWorker(_ id: Int64) throws(SQLFailure) {
        guard try statement("SELECT 1 FROM workers WHERE id <> ? LIMIT 1").bind(id).first({ $0.int64(0) }) == nil else { return }
        try statement(
            "INSERT INTO counters (name, value) VALUES ('workers_since', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ).bind(now).run()
    }
}

extension MaintenanceStore {
    /// Returns the registered workers.
    package func workers() throws -> [WorkerSummary] {
        try read { reader in
            try reader.statement(
                """
                SELECT id, pid, boot_id, started_at,
                (SELECT count(*) FROM jobs INDEXED BY jobs_running
                 WHERE state = 'running' AND lease_expires_at IS NOT NULL AND worker_id = workers.id), queues
                FROM workers ORDER BY id
                """
            ).all { row in
                // What cannot be read is not known, as of a worker of an earlier version, which serves all unless told otherwise.
                let queues = row.optionalText(5).flatMap { try? JSONValue.parse($0) }?.array
                return WorkerSummary(
                    id: row.int64(0), pid: row.int64(1), bootID: row.text(2), startedAt: row.int64(3), running: row.int(4),
                    queues: queues.map { Set($0.compactMap(\.string)) })
            }
        }
    }

    /// Whether a worker is running, as far as can be told. Its process id, which another process may have by now, only counts where the
    /// lock file leaves it open.
    package func isRunning(_ worker: WorkerSummary) -> Bool {
        switch locks.life(of: worker.id) {
        case .running: true
        case .ended: false
        case .uncertain:
            worker.bootID == clock.bootID() && (kill(pid_t(truncatingIfNeeded: worker.pid), 0) == 0 || errno == EPERM)
        }
    }
}

/// A worker process's registration: its id, and the shared memory in which it records its calls.
package struct WorkerRegistration: Sendable {
    /// The worker's id; never reused.
    package let id: Int64
    /// Where the worker records which calls have begun. Nil if there is no free region; then every attempt counts.
    package let calls: CallRegion?
}

/// A registered worker process.
package struct WorkerSummary: Sendable, Equatable {
    /// The worker's id, which is also its byte in the lock file; never reused.
    package var id: Int64
    package var pid: Int64
    /// The boot that its leases' clock belongs to.
    package var bootID: String
    /// Wall clock, in milliseconds.
    package var startedAt: Int64
    /// The number of jobs under its leases.
    package var running: Int
    /// The queues that it serves; nil for all.
    package var queues: Set<String>?

    package func serves(queue: String) -> Bool { queues?.containsExactly(queue) != false }
}

/// Renews leases on a connection of its own, so that a long commit of the writer cannot make a worker look dead.
///
/// Confined to the thread that created it. Uses `synchronous=NORMAL`, because a heartbeat need not survive a power cut: that ends all
/// leases anyway.
package final class Heartbeat {
    private let connection: WriteConnection
    private let health: WriteHealth
    private let clock: StoreClock
    private let path: String

    /// Opens the connection.
    /// - Throws: `StoreError`.
    package init(_ store: QueueStore) throws {
        clock = store.clock
        health = store.health
        path = store.path
        do {
            connection = try WriteConnection(path: store.path, durability: .normal)
        } catch {
            throw error.asStoreError(path: store.path)
        }
    }

    /// Moves the deadlines of leases to `lease` milliseconds from now. Each lease is renewed only if its token is still the job's.
    /// - Returns: the lost leases, whose jobs have another token or none.
    /// - Throws: `StoreError`.
    package func renew(_ leases: [Lease], for lease: Int64) throws -> [Lease] {
        guard !leases.isEmpty else { return [] }
        let deadline = clock.boot() + lease
        var lost: [Lease] = []
        do {
            // Shared calls can make the leases many, so each transaction is kept short.
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
            health.noteFailure()
            throw error.asStoreError(path: path)
        }
        return lost
    }

    /// How many leases one transaction renews.
    private static let slice = 500

    package func close() { connection.close() }
}
