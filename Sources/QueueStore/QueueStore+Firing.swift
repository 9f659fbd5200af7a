import GRDB
import JobModel

extension QueueStore {
    /// Fires a schedule: adds what it is for, and sets when it is due again, in one transaction, which only one process gets to make.
    /// - Parameters:
    ///   - schedule: as it was read, due.
    ///   - next: when it is due again.
    /// - Returns: whether it was this call that fired it.
    /// - Throws: `StoreError`, and the schedule is still due; `conflict` where what it is for cannot be added.
    public func fire(_ schedule: Schedule, _ firing: Firing, next: Int64?) async throws -> Bool {
        try await write { try $0.fire(schedule, firing, next: next) }
    }

    /// Lets a due schedule go on without a firing.
    /// - Parameter error: why it did not fire, in a sentence; nil where it is not to: it was missed, and is not made up for.
    /// - Returns: whether it was this call that did.
    public func passOver(_ schedule: Schedule, next: Int64?, error: String?) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                "UPDATE schedules SET next_at = ?, last_error = coalesce(?, last_error) WHERE id = ? AND next_at = ?"
            ).bind(next).bind(error).bind(schedule.id).bind(schedule.nextAt).run() == 1
        }
    }
}

extension WriteTransaction {
    func fire(_ schedule: Schedule, _ firing: Firing, next: Int64?) throws -> Bool {
        let isOurs =
            try statement(
                """
                UPDATE schedules SET next_at = ?, fired_at = ?, firings = firings + 1, last_error = NULL WHERE id = ? AND next_at = ?
                """
            ).bind(next).bind(now).bind(schedule.id).bind(schedule.nextAt).run() == 1
        guard isOurs else { return false }
        switch firing {
        case .job(let job):
            try statement("UPDATE schedules SET last_job = ? WHERE id = ?").bind(try enqueue(job).id).bind(schedule.id).run()
        case .run(let run):
            try statement("UPDATE schedules SET last_run = ? WHERE id = ?").bind(try start(run).id).bind(schedule.id).run()
        }
        return true
    }
}
