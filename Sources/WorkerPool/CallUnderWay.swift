import JobModel
import Synchronization

/// A call for one job, or for several that share it: stopped when none of them wants its answer any more.
final class CallUnderWay: Sendable {
    private let task: Task<Void, Never>
    private let jobs: Mutex<Int>
    private let onLeave: @Sendable (Lease) -> Void

    /// - Parameter onLeave: told of a job that wants the answer no more while others do.
    init(_ task: Task<Void, Never>, jobs: Int, onLeave: @escaping @Sendable (Lease) -> Void) {
        self.task = task
        self.jobs = Mutex(jobs)
        self.onLeave = onLeave
    }

    /// One of its jobs wants its answer no more.
    func leave(_ lease: Lease) {
        let isLast = jobs.withLock { jobs in
            jobs -= 1
            return jobs == 0
        }
        if isLast { task.cancel() } else { onLeave(lease) }
    }
}
