/// What became of a run that was to begin.
public struct StartedRun: Sendable, Equatable {
    /// Its id, or that of the run that has its unique key.
    public var id: Int64
    /// The run that already had the unique key; nil where this one is new.
    public var duplicateOf: Int64?

    /// Makes one.
    public init(id: Int64, duplicateOf: Int64? = nil) {
        self.id = id
        self.duplicateOf = duplicateOf
    }
}
