/// How to open a store.
public struct StoreOptions: Sendable {
    /// What survives a power cut; `full` by default.
    public var durability: Durability
    /// Whether a file that is not there is made; by default it is.
    public var createsFile: Bool
    /// Whether an older file is migrated; by default it is.
    public var migrates: Bool
    /// The clocks to go by.
    public var clock: StoreClock
    /// The longest write-ahead log, in pages of 4 KiB, before a checkpoint; 1,000 by default.
    public var checkpointPages: Int
    /// Whether checkpoints are guarded against the WAL-reset bug; nil (the default) decides by SQLite's version. Only a
    /// test that shows the bug sets it.
    public var guardsCheckpoints: Bool?

    /// Makes options.
    public init(
        durability: Durability = .full, createsFile: Bool = true, migrates: Bool = true, clock: StoreClock = .system,
        checkpointPages: Int = 1_000, guardsCheckpoints: Bool? = nil
    ) {
        self.durability = durability
        self.createsFile = createsFile
        self.migrates = migrates
        self.clock = clock
        self.checkpointPages = checkpointPages
        self.guardsCheckpoints = guardsCheckpoints
    }
}
