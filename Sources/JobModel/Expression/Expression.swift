/// A condition on JSON: comparisons, and, or, not, fields and literals. No code is run.
///
/// ```
/// topic = "billing" and (score >= 3 or lang in ["en", "pt"]) and exists(author.name) and not archived
/// ```
///
/// - Values are compared with their like: numbers with numbers (exactly, whatever their spelling), strings with strings (by code points).
///   Values of two kinds are unequal, and neither is less.
/// - A field that is missing is null. Null equals null alone, and is neither less nor greater than anything.
/// - `=` holds for a list if it equals the other side, or one of its elements does: `tags = "x"`. `!=` is the opposite of `=`, `not in`
///   that of `in`; so both hold for a missing field, unless null is what they name.
/// - A field alone holds if it is `true`.
public indirect enum Expression: Sendable, Hashable {
    /// A value, as it is written.
    case literal(JSONValue)
    /// What the subject has at a path; null where there is nothing. The empty path is the subject itself.
    case field([Step])
    /// Two sides compared.
    case comparison(Expression, Comparison, Expression)
    /// Whether the left side equals one of the list.
    case isIn(Expression, [JSONValue])
    /// Whether the subject has something at a path, and it is not null.
    case exists([Step])
    /// All of several.
    case and([Expression])
    /// One of several, or more.
    case or([Expression])
    /// The opposite.
    case not(Expression)

    /// A part of a path.
    public enum Step: Sendable, Hashable {
        /// The member of an object by that name.
        case member(String)
        /// The element of a list at that place, from 0.
        case element(Int)
    }

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
