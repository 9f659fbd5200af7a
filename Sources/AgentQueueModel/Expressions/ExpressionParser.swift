/// A recursive descent parser for expressions.
struct ExpressionParser {
    private let tokens: [ExpressionToken]
    private var position = 0
    private var depth = 0
    private var nodes = 0

    init(_ tokens: [ExpressionToken]) {
        self.tokens = tokens
    }

    mutating func expression() throws(ExpressionError) -> Expression {
        let expression = try condition()
        guard current.kind == .end else { throw refusal("'and', 'or' or the end") }
        return expression
    }

    // MARK: Words

    private var current: ExpressionToken { tokens[min(position, tokens.count - 1)] }

    private mutating func take(_ symbol: String) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        position += 1
        return true
    }

    private mutating func take(keyword: String) -> Bool {
        guard current.keyword == keyword else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(ExpressionError) {
        guard take(symbol) else { throw refusal("'\(symbol)'") }
    }

    /// The error for an unexpected token.
    private func refusal(_ expected: String) -> ExpressionError {
        let place = position > 0 ? " after \(tokens[position - 1].shown)" : ""
        let found = current.kind == .end ? "" : ", not \(current.shown)"
        return ExpressionError("expected \(expected)\(place)\(found)", at: current.offset)
    }

    /// Counts a node, so that hostile input uses bounded memory.
    private mutating func count() throws(ExpressionError) {
        nodes += 1
        guard nodes <= Expression.maxNodes else {
            throw ExpressionError("more than \(Expression.maxNodes) parts", at: current.offset)
        }
    }

    /// Enters a nested level, so that hostile input uses bounded stack. The caller leaves the level itself.
    private mutating func descend() throws(ExpressionError) {
        depth += 1
        guard depth <= Expression.maxDepth else {
            throw ExpressionError("nested deeper than \(Expression.maxDepth)", at: current.offset)
        }
    }

    // MARK: Conditions

    private mutating func condition() throws(ExpressionError) -> Expression {
        var parts = [try conjunction()]
        while take("||") || take(keyword: "or") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction() throws(ExpressionError) -> Expression {
        var parts = [try negation()]
        while take("&&") || take(keyword: "and") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func negation() throws(ExpressionError) -> Expression {
        guard take("!") || take(keyword: "not") else { return try comparison() }
        try count()
        try descend()
        defer { depth -= 1 }
        return .not(try negation())
    }

    private mutating func comparison() throws(ExpressionError) -> Expression {
        let start = current
        let left = try operand("a condition")
        if case .comparison(let comparison) = current.kind {
            position += 1
            return .comparison(left, comparison, try operand("a value"))
        }
        if take(keyword: "in") { return .isIn(left, try list()) }
        if current.keyword == "not", tokens[min(position + 1, tokens.count - 1)].keyword == "in" {
            position += 2
            try count()
            return .not(.isIn(left, try list()))
        }
        if case .literal(let value) = left, value.bool == nil {
            throw ExpressionError("a value alone is no condition: expected a comparison after it", at: start.offset)
        }
        return left
    }

    // MARK: Values

    private mutating func operand(_ expected: String) throws(ExpressionError) -> Expression {
        try count()
        if take("(") {
            try descend()
            defer { depth -= 1 }
            let inner = try condition()
            try expect(")")
            return inner
        }
        if case .word(let word) = current.kind, word.lowercased() == "exists", tokens[position + 1].kind == .symbol("(") {
            position += 2
            guard let path = try path() else { throw refusal("a field") }
            try expect(")")
            return .exists(path)
        }
        if let value = try literal() { return .literal(value) }
        guard let path = try path() else { throw refusal(expected) }
        return .field(path)
    }

    private mutating func literal() throws(ExpressionError) -> JSONValue? {
        if case .value(let value) = current.kind {
            position += 1
            return value
        }
        if take(keyword: "true") { return true }
        if take(keyword: "false") { return false }
        if take(keyword: "null") { return .null }
        return current.kind == .symbol("[") ? .array(try list()) : nil
    }

    private mutating func list() throws(ExpressionError) -> [JSONValue] {
        guard take("[") else { throw refusal("a list such as [\"a\", \"b\"]") }
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if take("]") { return elements }
        while true {
            try count()
            guard let element = try literal() else { throw refusal("a value") }
            elements.append(element)
            if take("]") { return elements }
            guard take(",") else { throw refusal("',' or ']'") }
        }
    }

    /// `a.b["odd key"][0]`, or from the subject itself `$["odd key"]`; nil if the next token does not start a path.
    private mutating func path() throws(ExpressionError) -> [Expression.Step]? {
        var steps: [Expression.Step] = []
        if !take("$") {
            guard case .word(let name) = current.kind, current.keyword == nil else { return nil }
            position += 1
            steps.append(.member(name))
        }
        while true {
            if take(".") {
                guard case .word(let name) = current.kind else { throw refusal("a name") }
                position += 1
                steps.append(.member(name))
            } else if take("[") {
                steps.append(try step())
                try expect("]")
            } else {
                return steps
            }
            try count()
        }
    }

    private mutating func step() throws(ExpressionError) -> Expression.Step {
        let step: Expression.Step
        switch current.kind {
        case .value(.string(let name)): step = .member(name)
        case .value(.integer(let place)) where (0...Int64(Int32.max)).contains(place): step = .element(Int(place))
        default: throw refusal("a name in quotes, or a place from 0")
        }
        position += 1
        return step
    }
}

extension Expression {
    /// The maximum length of an expression, in bytes.
    package static let maxBytes = 65_536
    /// The maximum nesting depth of parentheses, lists and `not`.
    package static let maxDepth = 64
    /// The maximum number of values, fields, path steps and list elements.
    package static let maxNodes = 10_000

    /// Parses an expression. Keywords are case-insensitive. The grammar:
    ///
    /// ```
    /// condition   = conjunction { ("or" | "||") conjunction }
    /// conjunction = negation { ("and" | "&&") negation }
    /// negation    = ("not" | "!") negation | comparison
    /// comparison  = operand [ ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") operand | ["not"] "in" list ]
    /// operand     = "(" condition ")" | "exists" "(" field ")" | literal | field
    /// literal     = string | number | "true" | "false" | "null" | list
    /// list        = "[" [ literal { "," literal } ] "]"
    /// field       = (name | "$") { "." name | "[" string "]" | "[" place "]" }
    /// ```
    ///
    /// Strings are in single or double quotes, with the escapes of JSON. A name consists of letters, digits, `_` and `-`, and starts with
    /// a letter or `_`. Other names are written as strings: `a["odd key"]`, or `$["odd key"]` at the top level, where `$` is the subject
    /// itself.
    /// - Throws: `ExpressionError`, with the column and what was expected there.
    package static func parse(_ text: String) throws(ExpressionError) -> Expression {
        guard text.utf8.count <= maxBytes else { throw ExpressionError("longer than \(maxBytes / 1_024) KiB", at: 0) }
        var scanner = ExpressionScanner(text)
        var parser = ExpressionParser(try scanner.tokens())
        return try parser.expression()
    }
}

/// Why a text is not a valid expression.
package struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problem: String
    /// The column, in characters from 1.
    package let column: Int

    init(_ problem: String, at offset: Int) {
        self.problem = problem
        column = offset + 1
    }

    /// The message shown to users.
    package var description: String { "column \(column): \(problem)" }
}
