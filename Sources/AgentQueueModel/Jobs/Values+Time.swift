import FoundationEssentials

// Times and durations as a program reads them. What is stored and compared counts milliseconds.

extension Job {
    /// When it was added.
    public var created: Date { Date(milliseconds: createdAt) }
    /// From when it may run: when it was added unless a later time was asked for; a wait for the next attempt moves it.
    public var scheduled: Date { Date(milliseconds: scheduledAt) }
    /// When its last attempt began; nil before the first.
    public var attempted: Date? { attemptedAt.map(Date.init(milliseconds:)) }
    /// When it ended; nil as long as it has not.
    public var finished: Date? { finalizedAt.map(Date.init(milliseconds:)) }
    /// It fails if it has not begun by then; nil if it does not expire.
    public var expires: Date? { expiresAt.map(Date.init(milliseconds:)) }
    /// Since when its cancellation is asked for.
    public var cancelRequested: Date? { cancelRequestedAt.map(Date.init(milliseconds:)) }
}

extension JobResult {
    /// How long the call took; nothing where the cache answered.
    public var duration: Duration { .milliseconds(latency) }
}

extension JobError {
    /// When it came to this.
    public var time: Date { Date(milliseconds: at) }
}

extension JobEvent {
    /// How long the call took.
    public var duration: Duration { .milliseconds(latency) }
}

extension JobFilter {
    /// Created then or later; nil is any time.
    public var created: Date? {
        get { since.map(Date.init(milliseconds:)) }
        set { since = newValue?.milliseconds }
    }
}

extension RunSummary {
    /// When it was started.
    public var created: Date { Date(milliseconds: createdAt) }
    /// When it ended; nil as long as it has not.
    public var finished: Date? { finalizedAt.map(Date.init(milliseconds:)) }
}

extension StepCallDetail {
    /// Its place in the run, such as `code[0]`.
    public var path: String { record.path }
    /// Its job; nil where there is none.
    public var job: Int64? { record.jobID }
}

extension Schedule {
    /// When it is next due; nil while it is paused, or where no time fits any more.
    public var next: Date? { nextAt.map(Date.init(milliseconds:)) }
    /// When it last fired.
    public var fired: Date? { firedAt.map(Date.init(milliseconds:)) }
    /// When it was paused; nil where it is not.
    public var paused: Date? { pausedAt.map(Date.init(milliseconds:)) }
}

extension Memory {
    /// When it was made.
    public var created: Date { Date(milliseconds: createdAt) }
    /// When a search last brought it up.
    public var recalled: Date? { recalledAt.map(Date.init(milliseconds:)) }
    /// When it is forgotten; nil is never.
    public var expires: Date? { expiresAt.map(Date.init(milliseconds:)) }
}

extension CallOptions {
    /// How long the call may take.
    public var timeLimit: Duration { .milliseconds(timeout) }
}

extension ModelFailure {
    /// How long to wait before the next attempt, where the provider says so.
    public var wait: Duration? {
        get { retryAfter.map { .milliseconds($0) } }
        set { retryAfter = newValue?.milliseconds }
    }
}
