/// Which jobs a command means. Conditions are joined by "and"; an empty filter means all.
public struct JobFilter: Sendable, Equatable {
    /// In any of these states; empty means every state.
    public var states: [JobState]
    /// Waiting in the queue of this name.
    public var queue: String?
    /// A target, `provider/model`.
    public var model: String?
    /// Belonging to the batch of this name.
    public var batch: String?
    /// Carrying this tag, spelled alike.
    public var tag: String?
    /// Created at or after this time (wall clock, ms).
    public var since: Int64?
    /// Made for the run of this id.
    public var run: Int64?

    /// Makes a filter.
    public init(
        states: [JobState] = [], queue: String? = nil, model: String? = nil, batch: String? = nil, tag: String? = nil, since: Int64? = nil,
        run: Int64? = nil
    ) {
        self.states = states
        self.queue = queue
        self.model = model
        self.batch = batch
        self.tag = tag
        self.since = since
        self.run = run
    }

    /// Whether it lets every job through.
    public var isEmpty: Bool { self == JobFilter() }
}
