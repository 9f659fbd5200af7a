/// Something that is done again and again, as it is on record.
public struct Schedule: Sendable, Equatable {
    /// Its id.
    public var id: Int64
    /// What people call it.
    public var name: String
    /// When, as it was written.
    public var cron: String
    /// Whose clocks that goes by, such as `Europe/Lisbon`.
    public var timeZone: String
    /// What becomes of firings that no worker was there for.
    public var missed: MissedFirings
    /// How many of them `all` makes up for.
    public var most: Int
    /// What is done, JSON: `{"job": …a line of JSONL…}` or `{"run": {"name": …, "inputs": …, "options": …}}`.
    public var work: String
    /// When it is next due (wall clock, ms); nil while it is paused, or where no time fits any more.
    public var nextAt: Int64?
    /// When it last fired (wall clock, ms).
    public var firedAt: Int64?
    /// How often it has.
    public var firings: Int64
    /// The job that it added last.
    public var lastJob: Int64?
    /// The run that it started last.
    public var lastRun: Int64?
    /// Why its last firing failed; nil where it did not.
    public var lastError: String?
    /// When it was added (wall clock, ms).
    public var createdAt: Int64
    /// When it was paused (wall clock, ms); nil where it is not.
    public var pausedAt: Int64?

    /// Makes one that has not fired.
    public init(
        id: Int64, name: String, cron: String, timeZone: String, missed: MissedFirings, most: Int, work: String, nextAt: Int64?,
        createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.cron = cron
        self.timeZone = timeZone
        self.missed = missed
        self.most = most
        self.work = work
        self.nextAt = nextAt
        self.createdAt = createdAt
        firings = 0
    }
}
