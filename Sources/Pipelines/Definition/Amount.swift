/// A whole number, or the input that a run has it from.
public enum Amount: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// This one.
    case number(Int)
    /// That of an input of type integer, by its name.
    case input(String)

    /// A number, written as a literal.
    public init(integerLiteral value: Int) { self = .number(value) }
}
