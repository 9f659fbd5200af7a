/// What a worker has done.
package struct WorkerProgress: Sendable, Equatable {
    /// Jobs in flight now.
    package var running = 0
    /// Completed jobs, including those that the cache answered.
    package var completed = 0
    /// Jobs that failed for good.
    package var failed = 0
    /// Jobs answered from the cache.
    package var cached = 0
    /// The known costs, in US dollars.
    package var cost = 0.0
    /// Calls whose price is unknown.
    package var unpriced = 0

    /// Makes empty counts.
    package init() {}
}
