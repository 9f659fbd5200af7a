/// Splits the text of an expression into tokens.
struct ExpressionScanner {
    private let text: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
    }

    /// All tokens, ending with `.end`.
    mutating func tokens() throws(ExpressionError) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        while true {
            while let next = peek, next == " " || next == "\t" || next == "\n" || next == "\r" { position += 1 }
            let start = position
            tokens.append(ExpressionToken(kind: try kind(), offset: start))
            if tokens.last?.kind == .end { return tokens }
        }
    }

    private var peek: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    private mutating func kind() throws(ExpressionError) -> ExpressionToken.Kind {
        guard let next = peek else { return .end }
        if Self.beginsName(next) { return .word(run(Self.continuesName)) }
        let start = position
        switch next {
        case "\"", "'": return .value(try string(next))
        case "-", "0"..."9": return .value(try number())
        case "(", ")", "[", "]", ".", ",", "$":
            position += 1
            return .symbol(String(next))
        default: position += 1
        }
        switch next {
        case "=":
            _ = take("=")
            return .comparison(.equal)
        case "!": return take("=") ? .comparison(.notEqual) : .symbol("!")
        case "<": return .comparison(take("=") ? .lessOrEqual : .less)
        case ">": return .comparison(take("=") ? .greaterOrEqual : .greater)
        case "&" where take("&"): return .symbol("&&")
        case "|" where take("|"): return .symbol("||")
        default: throw ExpressionError("unexpected \(Self.shown(next))", at: start)
        }
    }

    private mutating func run(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        var run = String.UnicodeScalarView()
        while let next = peek, belongs(next) {
            run.append(next)
            position += 1
        }
        return String(run)
    }

    static func beginsName(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isXIDStart }

    /// A hyphen is part of a name, since there is no arithmetic.
    static func continuesName(_ scalar: Unicode.Scalar) -> Bool { scalar == "-" || scalar.properties.isXIDContinue }

    private mutating func number() throws(ExpressionError) -> JSONValue {
        let start = position
        let number = run { $0 == "-" || $0 == "+" || $0 == "." || Self.continuesName($0) }
        guard let value = try? JSONValue.parse(number) else { throw ExpressionError("a malformed number", at: start) }
        // Use one spelling for a whole number, so that what is printed parses to the same value.
        if case .double(let double) = value, let whole = Int64(exactly: double), whole.magnitude < 1 << 53 { return .integer(whole) }
        return value
    }

    /// A JSON string, but in either kind of quotes.
    private mutating func string(_ quote: Unicode.Scalar) throws(ExpressionError) -> JSONValue {
        let start = position
        position += 1
        var json = "\"".unicodeScalars
        while let next = peek {
            position += 1
            switch next {
            case quote:
                json.append("\"")
                do {
                    return try JSONValue.parse(String(json))
                } catch {
                    throw ExpressionError("a malformed string: \(error.problem)", at: start)
                }
            case "\"": json.append(contentsOf: "\\\"".unicodeScalars)
            case "\\":
                guard let escaped = peek else { break }
                position += 1
                if escaped != "'" { json.append("\\") }
                json.append(escaped)
            default: json.append(next)
            }
        }
        throw ExpressionError("a string without its end", at: start)
    }

    private static func shown(_ scalar: Unicode.Scalar) -> String {
        guard !(0x21...0x7E).contains(scalar.value) else { return "'\(scalar)'" }
        let hex = String(scalar.value, radix: 16, uppercase: true)
        return "character U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    }
}

/// A token of an expression.
struct ExpressionToken: Equatable {
    enum Kind: Equatable {
        /// A name or a keyword.
        case word(String)
        /// A string or a number.
        case value(JSONValue)
        /// Brackets, `.`, `,`, `$`, `!`, `&&`, `||`.
        case symbol(String)
        /// `=`, `<` and the other comparison operators.
        case comparison(Expression.Comparison)
        /// The end of the text.
        case end
    }

    var kind: Kind
    /// Where it starts, in code points.
    var offset: Int

    /// The keyword in lower case; nil for a name.
    var keyword: String? {
        guard case .word(let word) = kind else { return nil }
        let small = word.lowercased()
        return Self.keywords.contains(small) ? small : nil
    }

    /// Names that cannot start a path without `$`, as in `$.and`.
    static let keywords: Set<String> = ["and", "or", "not", "in", "true", "false", "null"]

    /// How messages show it. Names contain no control characters; strings may, and are not repeated.
    var shown: String {
        switch kind {
        case .word(let word): "'\(word.count > 40 ? word.prefix(40) + "…" : word)'"
        case .value(.string): "the string"
        case .value: "the number"
        case .symbol(let symbol): "'\(symbol)'"
        case .comparison(let comparison): "'\(comparison.rawValue)'"
        case .end: "the end"
        }
    }
}
