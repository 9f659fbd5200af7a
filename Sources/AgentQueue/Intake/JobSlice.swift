import JobModel

/// Jobs that are added in one transaction.
struct JobSlice: Sendable {
    /// In the order of their lines.
    var jobs: [NewJob]
    /// The number of the last one's line.
    var lastLine: Int

    /// The most jobs in a slice.
    static let maxJobs = 1_000
    /// The most bytes of requests and metadata in a slice that holds several jobs.
    static let maxBytes = 4 << 20
}
