/// What a step makes a call each for.
public struct Foreach: Sendable, Equatable {
    /// Where it is found: a path such as `plan.parts`.
    public var path: String
    /// How it becomes a list of items.
    public var way: Way

    /// How a value becomes a list of items.
    public enum Way: Sendable, Equatable {
        /// It is one.
        case elements
        /// A text, or each text of a list, is cut into pieces of so many characters at most, at the end of a paragraph, line, sentence
        /// or word where there is one; each begins with the last characters of the one before, up to `overlap`.
        case split(Amount, overlap: Amount)
        /// The texts of a list are put together as long as they have no more than so many characters, a blank line between them.
        case join(Amount)
    }

    /// How many characters a piece may have.
    public static let sizes = 100...10_000_000
    /// The most items that a step makes calls for.
    public static let maxItems = 10_000

    /// Makes one.
    public init(_ path: String, _ way: Way = .elements) {
        self.path = path
        self.way = way
    }
}
