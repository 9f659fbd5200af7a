/// A stored schedule: it adds a job or starts a run at recurring times.
public struct Schedule: Sendable, Equatable {
    /// The schedule's id.
    public var id: Int64
    /// The schedule's name.
    public var name: String
    /// The cron expression, as it was written.
    public var cron: String
    /// The time zone of the cron expression, such as `Europe/Lisbon`.
    public var timeZone: String
    /// Whether it follows the machine's time zone: ``timeZone`` is what that was when a worker last looked.
    package var followsMachine = false
    /// What happens to firings that were due while no worker ran.
    public var missed: MissedFirings
    /// How many of the latest missed firings `all` makes up for.
    package var most: Int
    /// What a firing does, as JSON: `{"job": …a line of JSONL…}` or `{"run": {"name": …, "inputs": …, "options": …}}`.
    package var work: String
    /// When it is next due (wall clock, ms); nil while it is paused, or if no future time matches.
    package var nextAt: Int64?
    /// When it last fired (wall clock, ms).
    package var firedAt: Int64?
    /// How many times it has fired.
    public var firings: Int64
    /// The id of the last job it added.
    public var lastJob: Int64?
    /// The id of the last run it started.
    public var lastRun: Int64?
    /// Why its last firing failed; nil if it did not fail.
    public var lastError: String?
    /// When it was added (wall clock, ms).
    package var createdAt: Int64
    /// When it was paused (wall clock, ms); nil if it is not paused.
    package var pausedAt: Int64?

    /// A schedule that has not fired yet.
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

/// A firing of a schedule, and the state of what it added.
package struct ScheduleFiring: Sendable, Equatable {
    /// When it fired (wall clock, ms).
    package var firedAt: Int64
    /// Whether a person fired it, besides its times.
    package var isByHand: Bool
    /// The job that it added.
    package var job: Int64?
    /// The run that it started.
    package var run: Int64?
    /// The state of the job; nil if it has been removed, or for a run.
    package var jobState: JobState?
    /// The state of the run; nil if it has been removed, or for a job.
    package var runState: RunState?

    package init(firedAt: Int64, isByHand: Bool, job: Int64?, run: Int64?, jobState: JobState? = nil, runState: RunState? = nil) {
        self.firedAt = firedAt
        self.isByHand = isByHand
        self.job = job
        self.run = run
        self.jobState = jobState
        self.runState = runState
    }
}

/// A checked schedule to be added.
package struct NewSchedule: Sendable, Equatable {
    /// Its name, 1 to 128 characters; nil means `schedule-` and its id.
    package var name: String?
    /// The cron expression, as it was written.
    package var cron: String
    /// The time zone of the cron expression, such as `Europe/Lisbon`.
    package var timeZone: String
    /// Whether it follows the machine's time zone, which ``timeZone`` is now; false by default.
    package var followsMachine = false
    /// What happens to firings that were due while no worker ran; `skip` by default.
    package var missed: MissedFirings
    /// How many of the latest missed firings `all` makes up for, 1 to 1,000; 1 by default.
    package var most: Int
    /// What a firing does; see ``Schedule/work``.
    package var work: String
    /// When it is first due (wall clock, ms).
    package var nextAt: Int64

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

/// What happens to firings that were due while no worker ran.
public enum MissedFirings: String, Sendable, CaseIterable {
    /// They are skipped.
    case skip
    /// A single firing makes up for all of them.
    case once
    /// Each of them is made up for, up to a limit; the latest are kept.
    case all
}
