/// A condition on JSON: comparisons, and, or, not, fields and literals. No code is run.
///
/// ```
/// topic = "billing" and (score >= 3 or lang in ["en", "pt"]) and exists(author.name) and not archived
/// ```
public indirect enum Expression: Sendable, Hashable {
    /// A value, as it is written.
    case literal(JSONValue)
    /// A member of the subject, by its names from the outside in; null where there is none.
    case field([String])
    /// Two sides compared.
    case comparison(Expression, Comparison, Expression)
    /// Whether the left side is one of the list, or, where it is itself a list, shares an element with it.
    case isIn(Expression, [JSONValue])
    /// Whether the subject has that member, and it is not null.
    case exists([String])
    /// Both.
    case and(Expression, Expression)
    /// One or both.
    case or(Expression, Expression)
    /// The opposite.
    case not(Expression)

    /// How two sides are compared.
    public enum Comparison: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }
}
