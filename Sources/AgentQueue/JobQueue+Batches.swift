import AgentQueueModel
import AgentQueueStore

// MARK: Batches

extension JobQueue {
    /// Returns the progress of a batch; nil if it has no jobs.
    /// - Throws: `StoreError`.
    public func batch(_ name: String) throws -> BatchProgress? { try store.jobs.batch(named: name) }

    /// The progress of a batch: now, and after each change until all its jobs have ended. The batch may still be empty; the stream then
    /// waits for its first job.
    ///
    /// Throws `StoreError`, and the error that ended this queue's own worker.
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
    /// - Throws: `StoreError`, also if there is no such batch; the error that ended this queue's own worker; `CancellationError`.
    @discardableResult
    public func finish(batch name: String) async throws -> BatchProgress {
        guard try store.jobs.batch(named: name) != nil else { throw StoreError(.notFound, "there is no batch '\(name)'") }
        for try await progress in progress(ofBatch: name) where progress.isDone { return progress }
        throw CancellationError()
    }
}

// MARK: Queues

extension JobQueue {
    /// Returns counts of jobs, answers, tokens and cost. They are read from maintained counters, so this takes no longer with a million
    /// jobs.
    /// - Throws: `StoreError`.
    public func statistics() throws -> QueueStatistics { QueueStatistics(try store.maintenance.statistics()) }

    /// Pauses a queue: none of its jobs starts. Jobs that are running continue.
    /// - Throws: `StoreError`.
    public func pause(queue: String) async throws { try await store.jobs.pause(queue: queue) }

    /// Resumes a paused queue. Returns false if there is no such queue.
    /// - Throws: `StoreError`.
    @discardableResult
    public func resume(queue: String) async throws -> Bool { try await store.jobs.resume(queue: queue) }
}

/// Counts of jobs, answers, tokens and cost in a database.
public struct QueueStatistics: Sendable, Equatable {
    /// The number of jobs in each state.
    public let jobs: [JobState: Int]
    /// The number of jobs of each queue that have not ended.
    public let open: [String: Int]
    /// The queues that are paused.
    public let paused: Set<String>
    /// Jobs completed in the last hour.
    public let completedLastHour: Int
    /// Jobs that failed in the last hour.
    public let failedLastHour: Int
    /// The median duration of the latest thousand paid answers; nil if there are none.
    public let medianDuration: Duration?
    /// The tokens of all paid answers.
    public let usage: Usage
    /// The cost of all answers so far, in US dollars, as far as it is known; nil if there are answers and the price of none is known.
    public let cost: Double?
    /// The number of paid answers whose price is unknown.
    public let unpricedCalls: Int
    /// The number of answers that came from the cache.
    public let cachedAnswers: Int
    /// The number of registered worker processes, in this program and others.
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
        unpricedCalls = statistics.lanes.reduce(0) { $0 + $1.unpricedCalls }
        cost = Money.sum(
            statistics.lanes.reduce(0) { $0 + $1.cost }, calls: statistics.lanes.reduce(0) { $0 + $1.calls }, unpriced: unpricedCalls)
        cachedAnswers = statistics.lanes.reduce(0) { $0 + $1.cacheAnswers }
        workers = statistics.workers.count
    }
}
