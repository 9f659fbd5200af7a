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
    package var most: Int
    /// What is done, JSON: `{"job": …a line of JSONL…}` or `{"run": {"name": …, "inputs": …, "options": …}}`.
    package var work: String
    /// When it is next due (wall clock, ms); nil while it is paused, or where no time fits any more.
    package var nextAt: Int64?
    /// When it last fired (wall clock, ms).
    package var firedAt: Int64?
    /// How often it has.
    public var firings: Int64
    /// The job that it added last.
    public var lastJob: Int64?
    /// The run that it started last.
    public var lastRun: Int64?
    /// Why its last firing failed; nil where it did not.
    public var lastError: String?
    /// When it was added (wall clock, ms).
    package var createdAt: Int64
    /// When it was paused (wall clock, ms); nil where it is not.
    package var pausedAt: Int64?

    /// Makes one that has not fired.
    package init(
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

/// A schedule as it is added: checked.
package struct NewSchedule: Sendable, Equatable {
    /// What people call it, 1 to 128 characters; nil is `schedule-` and its id.
    package var name: String?
    /// When, as it was written.
    package var cron: String
    /// Whose clocks that goes by, such as `Europe/Lisbon`.
    package var timeZone: String
    /// What becomes of firings that no worker was there for; `skip` by default.
    package var missed: MissedFirings
    /// How many of them `all` makes up for, 1 to 1,000; 1 by default.
    package var most: Int
    /// What is done, JSON, as ``Schedule/work``.
    package var work: String
    /// When it is first due (wall clock, ms).
    package var nextAt: Int64

    /// Makes one.
    package init(
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

/// What becomes of firings that were due while no worker ran.
public enum MissedFirings: String, Sendable, CaseIterable {
    /// They are not made up for.
    case skip
    /// One is made up for all of them.
    case once
    /// Each is made up for, the latest ones up to a bound.
    case all
}
