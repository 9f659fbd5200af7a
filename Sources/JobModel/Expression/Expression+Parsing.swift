extension Expression {
    /// The longest text of an expression, in bytes.
    public static let maxBytes = 65_536
    /// How deep parentheses, lists and `not` may nest.
    public static let maxDepth = 64
    /// How many values, fields, steps of a path and elements it may have.
    public static let maxNodes = 10_000

    /// Reads an expression. Its grammar, words of the language in any case:
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
    /// Strings stand in either quotes, with JSON's escapes. A name has letters, digits, `_` and `-`, and begins with a letter or `_`;
    /// others are written as strings, `a["odd key"]`, the outermost as `$["odd key"]`: `$` is the subject itself.
    /// - Throws: `ExpressionError`, with the column and what was expected there.
    public static func parse(_ text: String) throws(ExpressionError) -> Expression {
        guard text.utf8.count <= maxBytes else { throw ExpressionError("longer than \(maxBytes / 1_024) KiB", at: 0) }
        var scanner = ExpressionScanner(text)
        var parser = ExpressionParser(try scanner.tokens())
        return try parser.expression()
    }
}
