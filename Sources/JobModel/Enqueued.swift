/// What enqueueing one job came to.
public struct Enqueued: Sendable, Equatable {
    /// The job that now stands for the request: the new one, or the one that already had its unique key.
    public var id: Int64
    /// That job's state.
    public var state: JobState
    /// The same id, if the job was already there.
    public var duplicateOf: Int64?

    /// Makes a receipt.
    public init(id: Int64, state: JobState, duplicateOf: Int64? = nil) {
        self.id = id
        self.state = state
        self.duplicateOf = duplicateOf
    }
}
