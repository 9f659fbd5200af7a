import FoundationEssentials

// Times and durations as a Swift program reads them. What is stored and compared counts milliseconds.

extension Job {
    /// When the job was added.
    public var created: Date { Date(milliseconds: createdAt) }
    /// The earliest time it may run: when it was added, unless a later time was asked for. Waiting for the next attempt moves it.
    public var scheduled: Date { Date(milliseconds: scheduledAt) }
    /// When its last attempt began; nil before the first.
    public var attempted: Date? { attemptedAt.map(Date.init(milliseconds:)) }
    /// When the job ended; nil until it has.
    public var finished: Date? { finalizedAt.map(Date.init(milliseconds:)) }
    /// The job fails if it has not begun by then; nil if it does not expire.
    public var expires: Date? { expiresAt.map(Date.init(milliseconds:)) }
    /// When its cancellation was requested; nil if it was not.
    public var cancelRequested: Date? { cancelRequestedAt.map(Date.init(milliseconds:)) }
}

extension JobResult {
    /// How long the call took; zero if the cache answered.
    public var duration: Duration { .milliseconds(latency) }
}

extension JobError {
    /// When the error occurred.
    public var time: Date { Date(milliseconds: at) }
}

extension JobEvent {
    /// How long the call took.
    public var duration: Duration { .milliseconds(latency) }
}

extension JobFilter {
    /// The job was created at or after this time; nil means any time.
    public var created: Date? {
        get { since.map(Date.init(milliseconds:)) }
        set { since = newValue?.milliseconds }
    }

    /// The job was created before this time; nil means any time.
    public var createdBefore: Date? {
        get { until.map(Date.init(milliseconds:)) }
        set { until = newValue?.milliseconds }
    }
}

extension RunSummary {
    /// When the run was started.
    public var created: Date { Date(milliseconds: createdAt) }
    /// When it ended; nil until it has.
    public var finished: Date? { finalizedAt.map(Date.init(milliseconds:)) }
}

extension StepCallDetail {
    /// Its path in the run, such as `code[0]`.
    public var path: String { record.path }
    /// The id of its job; nil if it has none.
    public var job: Int64? { record.jobID }
}

extension Schedule {
    /// When the schedule is next due; nil while it is paused, or if no future time matches.
    public var next: Date? { nextAt.map(Date.init(milliseconds:)) }
    /// When it last fired; nil if it never has.
    public var fired: Date? { firedAt.map(Date.init(milliseconds:)) }
    /// When it was paused; nil if it is not paused.
    public var paused: Date? { pausedAt.map(Date.init(milliseconds:)) }
}

extension Memory {
    /// When it was created.
    public var created: Date { Date(milliseconds: createdAt) }
    /// When a search last returned it; nil if none has.
    public var recalled: Date? { recalledAt.map(Date.init(milliseconds:)) }
    /// When it expires; nil means never.
    public var expires: Date? { expiresAt.map(Date.init(milliseconds:)) }
}

extension CallOptions {
    /// How long the call may take.
    public var timeLimit: Duration { .milliseconds(timeout) }
}

extension ModelFailure {
    /// How long the provider asks to wait before the next attempt; nil if it does not say.
    public var wait: Duration? {
        get { retryAfter.map { .milliseconds($0) } }
        set { retryAfter = newValue?.milliseconds }
    }
}
