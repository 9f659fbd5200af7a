import Synchronization

/// A call for one job, or for several that share it: stopped when none of them wants its answer any more.
final class CallUnderWay: Sendable {
    private let task: Task<Void, Never>
    private let jobs: Mutex<Int>

    init(_ task: Task<Void, Never>, jobs: Int) {
        self.task = task
        self.jobs = Mutex(jobs)
    }

    /// One of its jobs wants its answer no more.
    func leave() {
        let isLast = jobs.withLock { jobs in
            jobs -= 1
            return jobs == 0
        }
        if isLast { task.cancel() }
    }
}
