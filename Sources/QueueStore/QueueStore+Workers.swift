import GRDB
import Glibc
import JobModel

extension QueueStore {
    /// Registers a worker: its row and, inside the same transaction, the lock on its byte.
    public func registerWorker() async throws -> WorkerRegistration {
        let locks = locks
        let bootID = clock.bootID()
        let locked = Box<Int64?>(nil)
        let id = try await write { transaction in
            try transaction.statement("INSERT INTO workers (pid, boot_id, started_at) VALUES (?, ?, ?)")
                .bind(Int64(getpid())).bind(bootID).bind(transaction.now).run()
            let id = transaction.lastInsertedID
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
    public func unregisterWorker(_ id: Int64) async throws {
        try await write { transaction in
            _ = try transaction.statement(
                "DELETE FROM workers WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND worker_id = ?1)"
            ).bind(id).run()
        }
        locks.unlock(worker: id)
    }

    /// The registered workers.
    public func workers() throws -> [WorkerSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, pid, boot_id, started_at,
                    (SELECT count(*) FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND worker_id = workers.id)
                    FROM workers ORDER BY id
                    """
            ).map { WorkerSummary(id: $0[0], pid: $0[1], bootID: $0[2], startedAt: $0[3], running: $0[4]) }
        }
    }
}
