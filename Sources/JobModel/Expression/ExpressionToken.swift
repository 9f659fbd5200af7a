/// A word of an expression.
struct ExpressionToken: Equatable {
    /// What it is.
    enum Kind: Equatable {
        /// A name, or a word of the language.
        case word(String)
        /// A string or a number.
        case value(JSONValue)
        /// Brackets, `.`, `,`, `$`, `!`, `&&`, `||`.
        case symbol(String)
        /// `=`, `<` and their like.
        case comparison(Expression.Comparison)
        /// Nothing more.
        case end
    }

    /// What it is.
    var kind: Kind
    /// Where it begins, in code points.
    var offset: Int

    /// The word of the language that it is, in small letters; nil for a name.
    var keyword: String? {
        guard case .word(let word) = kind else { return nil }
        let small = word.lowercased()
        return Self.keywords.contains(small) ? small : nil
    }

    /// What no field is called at the beginning of a path: there it is written `$.and`.
    static let keywords: Set<String> = ["and", "or", "not", "in", "true", "false", "null"]

    /// How a message shows it. Names have no control characters; strings, which may, are not repeated.
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
