import AgentQueueModel
import AgentQueueStore

// MARK: Batches

extension JobQueue {
    /// How far a batch is; nil where no job is in it.
    /// - Throws: `StoreError`.
    public func batch(_ name: String) throws -> BatchProgress? { try store.jobs.batch(named: name) }

    /// How far a batch is, now and at each change, until all of its jobs have ended. Also for a batch whose first job is still to come.
    ///
    /// Throws `StoreError`, and what ended this queue's own worker.
    public func progress(ofBatch name: String) -> AsyncThrowingStream<BatchProgress, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var last: BatchProgress?
                    for await _ in store.changes(of: .done) {
                        if let progress = try store.jobs.batch(named: name), progress != last {
                            continuation.yield(progress)
                            last = progress
                        }
                        if last?.isDone == true { break }
                        try ownWorkers.check()
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Waits until all jobs of a batch have ended.
    /// - Throws: `StoreError`, also where there is no such batch; what ended this queue's own worker; `CancellationError`.
    @discardableResult
    public func finish(batch name: String) async throws -> BatchProgress {
        guard try store.jobs.batch(named: name) != nil else { throw StoreError(.notFound, "there is no batch '\(name)'") }
        for try await progress in progress(ofBatch: name) where progress.isDone { return progress }
        throw CancellationError()
    }
}

// MARK: Queues

extension JobQueue {
    /// What there is to do, what was done, and what it cost. Read from counts that are kept, so that it takes no longer for a million jobs.
    /// - Throws: `StoreError`.
    public func statistics() throws -> QueueStatistics { QueueStatistics(try store.maintenance.statistics()) }

    /// Holds a queue's jobs back from being run. Those that run go on.
    /// - Throws: `StoreError`.
    public func pause(queue: String) async throws { try await store.jobs.pause(queue: queue) }

    /// Ends a queue's pause. Returns false where there is no such queue.
    /// - Throws: `StoreError`.
    @discardableResult
    public func resume(queue: String) async throws -> Bool { try await store.jobs.resume(queue: queue) }
}

/// What there is to do, what was done, and what it cost.
public struct QueueStatistics: Sendable, Equatable {
    /// How many jobs are in each state.
    public let jobs: [JobState: Int]
    /// How many jobs of each queue have not ended.
    public let open: [String: Int]
    /// The queues that are paused.
    public let paused: Set<String>
    /// Jobs completed in the last hour.
    public let completedLastHour: Int
    /// Jobs that failed in the last hour.
    public let failedLastHour: Int
    /// Half of the latest thousand paid answers took at most this; nil where there are none.
    public let medianDuration: Duration?
    /// The tokens of all answers that were paid for.
    public let usage: Usage
    /// What answers cost, ever, in US dollars.
    public let cost: Double
    /// How many answers the cache gave.
    public let cachedAnswers: Int
    /// How many worker processes are registered, in this program or others.
    public let workers: Int

    init(_ statistics: Statistics) {
        jobs = Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0, statistics.count($0)) })
        let openStates = JobState.allCases.filter { !$0.isFinal }
        open = Dictionary(
            statistics.queues.map { queue in (queue.name, openStates.reduce(0) { $0 + queue.count($1) }) }, uniquingKeysWith: +)
        paused = Set(statistics.queues.filter { $0.pausedAt != nil }.map(\.name))
        completedLastHour = statistics.completedLastHour
        failedLastHour = statistics.discardedLastHour
        medianDuration = statistics.latency.map { .milliseconds($0.p50) }
        usage = statistics.lanes.reduce(Usage()) { $0 + $1.usage }
        cost = statistics.lanes.reduce(0) { $0 + $1.cost }
        cachedAnswers = statistics.lanes.reduce(0) { $0 + $1.cacheAnswers }
        workers = statistics.workers.count
    }
}
