import Foundation
import GRDB
import JobModel

extension QueueStore {
    /// What adding these jobs would come to now, each by itself and in their order. Changes nothing.
    /// - Throws: `StoreError`; `conflict` where one is to wait for a job that is not there.
    public func foresee(_ jobs: [NewJob]) throws -> [Foresight] {
        let now = clock.wall()
        return try read { database in
            let holder = try database.cachedStatement(
                sql: "SELECT 1 FROM jobs WHERE unique_key = ? AND state NOT IN ('cancelled', 'discarded')")
            let dependency = try database.cachedStatement(sql: "SELECT 1 FROM jobs WHERE id = ?")
            let entry = try database.cachedStatement(sql: "SELECT 1 FROM cache_entries WHERE digest = ? AND expires_at > ?")
            return try jobs.map { job in
                if let key = job.uniqueKey, try Bool.fetchOne(holder, arguments: [key]) == true { return .taken }
                for id in job.after where try Bool.fetchOne(dependency, arguments: [id]) != true {
                    throw StoreError(.conflict, "job \(id), which the new job is to wait for, does not exist; nothing was added")
                }
                guard job.useCache else { return .call }
                // A job that waits asks the cache when its time has come.
                let start = max(now, job.scheduledAt ?? now)
                return try Bool.fetchOne(entry, arguments: [Data(job.digest), start]) == true ? .cached : .call
            }
        }
    }
}
