/// What a check of the database found.
public struct CheckReport: Sendable, Equatable {
    /// One sentence for each fault; none where all is well.
    public var faults: [String]
    /// SQLite's version, and whether checkpoints are guarded against its WAL-reset bug.
    public var sqliteVersion: String
    public var guardsCheckpoints: Bool

    /// Whether nothing was found.
    public var isSound: Bool { faults.isEmpty }
}
