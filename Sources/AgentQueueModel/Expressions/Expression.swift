/// A condition on JSON: comparisons, `and`, `or`, `not`, fields and literals. It cannot run code.
///
/// ```
/// topic = "billing" and (score >= 3 or lang in ["en", "pt"]) and exists(author.name) and not archived
/// ```
///
/// - Values are compared within their type: numbers exactly, whatever their spelling, and strings by code points. Values of different
///   types are unequal, and neither is less than the other.
/// - A missing field is null. Null equals only null, and is neither less nor greater than anything.
/// - `=` is true for a list if the list equals the other side or one of its elements does: `tags = "x"`. `!=` is the opposite of `=`, and
///   `not in` the opposite of `in`; both are therefore true for a missing field, unless they name null.
/// - A field on its own is true if its value is `true`.
package indirect enum Expression: Sendable, Hashable {
    /// A literal value.
    case literal(JSONValue)
    /// The value at a path of the subject; null if there is none. The empty path is the subject itself.
    case field([Step])
    case comparison(Expression, Comparison, Expression)
    /// Whether the left side equals an element of the list.
    case isIn(Expression, [JSONValue])
    /// Whether the subject has a value other than null at a path.
    case exists([Step])
    /// True if all are.
    case and([Expression])
    /// True if at least one is.
    case or([Expression])
    case not(Expression)

    /// A step of a path.
    package enum Step: Sendable, Hashable {
        /// The member of an object with that name.
        case member(String)
        /// The element of a list at that index, from 0.
        case element(Int)
    }

    /// A comparison operator.
    package enum Comparison: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }
}

extension Expression {
    /// Whether the condition is true for a subject.
    package func holds(for subject: JSONValue) -> Bool {
        switch self {
        case .literal(let value): value.bool == true
        case .field(let path): subject.value(at: path).bool == true
        case .comparison(let left, let comparison, let right):
            comparison.holds(left.evaluate(on: subject), right.evaluate(on: subject))
        case .isIn(let value, let list): Self.contains(list, value.evaluate(on: subject))
        case .exists(let path): !subject.value(at: path).isNull
        case .and(let parts): parts.allSatisfy { $0.holds(for: subject) }
        case .or(let parts): parts.contains { $0.holds(for: subject) }
        case .not(let part): !part.holds(for: subject)
        }
    }

    /// The value: that of a literal or field, and true or false for everything else.
    package func evaluate(on subject: JSONValue) -> JSONValue {
        switch self {
        case .literal(let value): value
        case .field(let path): subject.value(at: path)
        default: .bool(holds(for: subject))
        }
    }

    private static func contains(_ list: [JSONValue], _ value: JSONValue) -> Bool {
        list.contains { Comparison.equal.holds(value, $0) }
    }
}

extension Expression.Comparison {
    /// Whether the comparison is true of two values.
    func holds(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch self {
        case .equal: Self.meet(left, right)
        case .notEqual: !Self.meet(left, right)
        case .less: left.precedes(right) == true
        case .lessOrEqual: right.precedes(left) == false
        case .greater: right.precedes(left) == true
        case .greaterOrEqual: left.precedes(right) == false
        }
    }

    /// Whether two values are equal, or one is a list that contains the other.
    private static func meet(_ left: JSONValue, _ right: JSONValue) -> Bool {
        left.isEqual(to: right) || left.array?.contains { $0.isEqual(to: right) } == true
            || right.array?.contains { $0.isEqual(to: left) } == true
    }
}

extension JSONValue {
    /// The value at a path; null if there is none.
    package func value(at path: some Sequence<Expression.Step>) -> JSONValue {
        var value = self
        for step in path {
            switch step {
            case .member(let name): value = value[name] ?? .null
            case .element(let place):
                guard let elements = value.array, elements.indices.contains(place) else { return .null }
                value = elements[place]
            }
        }
        return value
    }
}

extension Expression: CustomStringConvertible {
    /// The expression in its canonical spelling, which parses to the same expression.
    package var description: String {
        switch self {
        case .literal(let value): value.text
        case .field(let path): Self.text(path)
        case .comparison(let left, let comparison, let right): "\(left.asOperand) \(comparison.rawValue) \(right.asOperand)"
        case .isIn(let value, let list): "\(value.asOperand) in \(JSONValue.array(list).text)"
        case .exists(let path): "exists(\(Self.text(path)))"
        case .and(let parts): parts.map(\.asPart).joined(separator: " and ")
        case .or(let parts): parts.map(\.asPart).joined(separator: " or ")
        case .not(.isIn(let value, let list)): "\(value.asOperand) not in \(JSONValue.array(list).text)"
        case .not(let part): "not \(part.asPart)"
        }
    }

    /// The spelling as a side of a comparison.
    private var asOperand: String {
        switch self {
        case .literal, .field, .exists: description
        default: "(\(self))"
        }
    }

    /// The spelling as an operand of `and`, `or` or `not`.
    private var asPart: String {
        switch self {
        case .and, .or: "(\(self))"
        default: description
        }
    }

    private static func text(_ path: [Step]) -> String {
        var text = ""
        for (place, step) in path.enumerated() {
            switch step {
            case .member(let name) where isPlain(name, first: place == 0): text += place == 0 ? name : ".\(name)"
            case .member(let name): text += (place == 0 ? "$" : "") + "[\(JSONValue.string(name).text)]"
            case .element(let index): text += (place == 0 ? "$" : "") + "[\(index)]"
            }
        }
        return path.isEmpty ? "$" : text
    }

    /// Whether a name can be written without quotes.
    private static func isPlain(_ name: String, first: Bool) -> Bool {
        guard let start = name.unicodeScalars.first, ExpressionScanner.beginsName(start) else { return false }
        guard name.unicodeScalars.allSatisfy(ExpressionScanner.continuesName) else { return false }
        return !first || ExpressionToken(kind: .word(name), offset: 0).keyword == nil
    }
}
