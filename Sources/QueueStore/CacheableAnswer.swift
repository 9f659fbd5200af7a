import JobModel

/// An answer that was paid for, and under which key it may serve again.
public struct CacheableAnswer: Sendable {
    /// The key, and for how long.
    public var entry: CacheWrite
    /// The answer.
    public var result: JobResult

    /// Makes one.
    public init(entry: CacheWrite, result: JobResult) {
        self.entry = entry
        self.result = result
    }
}
