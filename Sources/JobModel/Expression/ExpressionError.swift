/// Why a text is not an expression.
public struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let problem: String
    /// Where: the character, counted from 1.
    public let column: Int

    init(_ problem: String, at offset: Int) {
        self.problem = problem
        column = offset + 1
    }

    /// The message, as users see it.
    public var description: String { "column \(column): \(problem)" }
}
