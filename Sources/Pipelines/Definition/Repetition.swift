/// How often a group is gone through.
public struct Repetition: Sendable, Equatable {
    /// The most rounds.
    public var times: Amount
    /// A condition that ends it after the round in which it holds.
    public var until: String?
    /// A path to a number that should grow: the best round's outputs are the group's.
    public var improves: String?
    /// How many rounds in a row may go by without a better number.
    public var patience: Amount

    /// How many rounds there may be.
    public static let bounds = 1...100

    /// Makes one.
    public init(_ times: Amount, until: String? = nil, improves: String? = nil, patience: Amount = 1) {
        self.times = times
        self.until = until
        self.improves = improves
        self.patience = patience
    }
}
