import Yams

/// A value as it was written, not yet of any type.
struct RawSetting {
    enum Content {
        /// Nothing after the key, `~` or `null`.
        case null
        case scalar(String, quoted: Bool)
        case list([RawSetting])
        /// Keys and values, as they were parsed.
        case mapping(Node)
    }

    let content: Content
    /// What relative paths are relative to.
    let folder: String
    /// What `~` stands for.
    let home: String?

    /// The text of a value that must be one: not a list, a mapping or nothing, and not in quotes unless it may be any text.
    func text(of expected: String, quotesAllowed: Bool = true) throws(InvalidText) -> String {
        switch content {
        case .scalar(let text, let quoted):
            guard quotesAllowed || !quoted else {
                throw InvalidText("expected \(expected), found the text \(InvalidText.quoted(text)) (leave out the quotes)")
            }
            return text
        case .null: throw InvalidText("has no value (expected \(expected))")
        case .list: throw InvalidText("expected \(expected), found a list")
        case .mapping: throw InvalidText("expected \(expected), found keys and values")
        }
    }

    var isNull: Bool {
        if case .null = content { true } else { false }
    }
}
