/// How often a group is gone through.
public struct Repetition: Sendable, Equatable {
    /// The most rounds.
    public var times: Times
    /// A condition that ends it after the round in which it holds.
    public var until: String?
    /// A path to a number that should grow: the best round's outputs are the group's.
    public var improves: String?
    /// How many rounds in a row may go by without a better number.
    public var patience: Int

    /// A number of rounds.
    public enum Times: Sendable, Equatable {
        /// This one.
        case number(Int)
        /// That of an input, by its name.
        case input(String)
    }

    /// How many rounds there may be.
    public static let bounds = 1...100

    /// Makes one.
    public init(_ times: Times, until: String? = nil, improves: String? = nil, patience: Int = 1) {
        self.times = times
        self.until = until
        self.improves = improves
        self.patience = patience
    }
}
