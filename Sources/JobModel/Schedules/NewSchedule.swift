/// A schedule as it is added: checked.
public struct NewSchedule: Sendable, Equatable {
    /// What people call it, 1 to 128 characters; nil is `schedule-` and its id.
    public var name: String?
    /// When, as it was written.
    public var cron: String
    /// Whose clocks that goes by, such as `Europe/Lisbon`.
    public var timeZone: String
    /// What becomes of firings that no worker was there for; `skip` by default.
    public var missed: MissedFirings
    /// How many of them `all` makes up for, 1 to 1,000; 1 by default.
    public var most: Int
    /// What is done, JSON, as ``Schedule/work``.
    public var work: String
    /// When it is first due (wall clock, ms).
    public var nextAt: Int64

    /// Makes one.
    public init(
        name: String? = nil, cron: String, timeZone: String, missed: MissedFirings = .skip, most: Int = 1, work: String, nextAt: Int64
    ) {
        self.name = name
        self.cron = cron
        self.timeZone = timeZone
        self.missed = missed
        self.most = most
        self.work = work
        self.nextAt = nextAt
    }
}
