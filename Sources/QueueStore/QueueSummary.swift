import JobModel

/// A queue and its lanes.
public struct QueueSummary: Sendable, Equatable {
    /// Its name, 1 to 128 bytes.
    public var name: String
    /// Since when it is paused (wall clock, ms); nil if it is not.
    public var pausedAt: Int64?
    /// Its lanes, by target, then kind.
    public var lanes: [LaneSummary]

    /// How many of its jobs are in a state.
    public func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}
