/// What a check of the database found.
public struct CheckReport: Sendable, Equatable {
    /// One sentence for each fault; none where all is well.
    public var faults: [String]
    /// The version of SQLite in use, such as `3.51.3`.
    public var sqliteVersion: String
    /// Whether checkpoints are guarded against SQLite's WAL-reset bug: true where this version of it has the bug.
    public var guardsCheckpoints: Bool

    /// Whether nothing was found.
    public var isSound: Bool { faults.isEmpty }
}
