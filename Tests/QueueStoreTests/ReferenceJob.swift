import JobModel

/// A job as the reference model has it.
struct ReferenceJob: Equatable {
    var id: Int64
    /// Its lane: queue and target.
    var queue: String
    var target: String
    var state: JobState
    var priority: Int
    var attempt = 0
    var maxAttempts: Int
    var crashes = 0
    var token: Int64?
    var worker: Int64?
    var lease: Int64?
    var scheduledAt: Int64
    var finalizedAt: Int64?
    var expiresAt: Int64?
    var cancelRequestedAt: Int64?
    var cancelledThrough: Int64?
    var uniqueKey: String?
    var batch: String?
    var question: Int
    var useCache: Bool
    /// Whether it waits for the answer to an identical one.
    var follows = false
    /// What its answer came from.
    var answeredBy: AnsweredBy?
    /// The jobs it waits for, and whether each has completed.
    var dependencies: [Int64: Bool] = [:]

    /// Whether two workers died of it.
    var isSuspect: Bool { crashes >= 2 }
}
