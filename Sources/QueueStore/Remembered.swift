/// What became of a text that was to be remembered.
public struct Remembered: Sendable, Equatable {
    /// How it was taken in.
    public enum Outcome: String, Sendable {
        /// It is a new memory.
        case stored
        /// It took the place of the memory of its key.
        case updated
        /// It was there already; only its time to live, its importance and a vector that it lacked were renewed.
        case duplicate
    }

    /// The memory's id.
    public var id: Int64
    /// How it was taken in.
    public var outcome: Outcome

    /// Makes one.
    public init(id: Int64, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}
