extension Expression: CustomStringConvertible {
    /// The expression in one spelling, which reads back as the same.
    public var description: String {
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

    /// As a side of a comparison.
    private var asOperand: String {
        switch self {
        case .literal, .field, .exists: description
        default: "(\(self))"
        }
    }

    /// As a part of and, or, not.
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

    /// Whether a name is written without quotes.
    private static func isPlain(_ name: String, first: Bool) -> Bool {
        guard let start = name.unicodeScalars.first, ExpressionScanner.beginsName(start) else { return false }
        guard name.unicodeScalars.allSatisfy(ExpressionScanner.continuesName) else { return false }
        return !first || ExpressionToken(kind: .word(name), offset: 0).keyword == nil
    }
}
