import JobModel
import Settings

/// A value of a pipeline's text, whether it was YAML or JSON: no type yet, but its place.
struct DefinitionNode {
    /// What it is.
    enum Content {
        /// A text, a number, a word; not in quotes, what it is called may say what it is.
        case scalar(String, isPlain: Bool)
        case list([DefinitionNode])
        case mapping([Pair])
    }

    /// A key with its value.
    struct Pair {
        var key: String
        /// The key's line.
        var line: Int?
        var value: DefinitionNode
    }

    var content: Content
    /// From 1; nil where it came from no file.
    var line: Int?
    /// Where the text itself begins, if its lines are the file's lines: of a block scalar (`|`).
    var textLine: Int?

    /// Whether nothing is written, or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var pairs: [Pair]? { if case .mapping(let pairs) = content { pairs } else { nil } }
    var list: [DefinitionNode]? { if case .list(let list) = content { list } else { nil } }
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// What kind of value this is, in the words of an error message.
    var kindName: String {
        switch content {
        case .mapping: "keys and values"
        case .list: "a list"
        case .scalar: isNull ? "nothing" : "a single value"
        }
    }

    /// As JSON: words and numbers out of quotes as what they are, everything else as texts.
    var json: JSONValue {
        switch content {
        case .list(let elements): return .array(elements.map(\.json))
        case .mapping(let pairs): return .object(pairs.map { .init($0.key, $0.value.json) })
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            // A number that is none stays the text that it is: whoever wants a number says so.
            return (try? YAMLValue.plain(text, line: line)) ?? .string(text)
        }
    }
}
