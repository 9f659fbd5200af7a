import AgentQueueModel

/// Text that looks like a tag of another template language (`${inputs.task}`, `{inputs.task}`, `{% if inputs.task %}`) and names a value of
/// the pipeline: it would reach the model as it is written. Other text of this form is left alone, because prompts hold shell scripts and
/// templates, too.
struct ForeignTags {
    /// A tag, with what to write instead.
    struct Tag {
        var message: String
        /// Lines before it in the text.
        var linesBefore: Int
    }

    /// Values with names so common that, alone, they say nothing.
    private static let common: Set<String> = ["number", "count", "round", "position"]

    private let isKnown: (_ root: String) -> Bool

    /// - Parameter isKnown: whether a path may begin with this name.
    init(isKnown: @escaping (_ root: String) -> Bool) {
        self.isKnown = isKnown
    }

    /// The tags of a text that holds none of our own.
    func tags(in text: Substring) -> [Tag] {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return [] }
        var tags: [Tag] = []
        for match in text.matches(of: /\$?\{ *([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*) *\}/) {
            let path = String(match.output.1)
            let isPlain = match.output.0.first == "{"
            guard names(path, mustBeDotted: isPlain) else { continue }
            add(match.output.0, instead: "{{\(path)}}", in: text, to: &tags)
        }
        for match in text.matches(of: /\{%(.*?)%\}/) {
            let words = match.output.1.matches(of: /[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*/).map { String($0.output) }
            guard let path = words.last(where: { names($0, mustBeDotted: false) }) else { continue }
            add(match.output.0, instead: "{{#\(path)}}…{{/\(path)}}", in: text, to: &tags)
        }
        return tags
    }

    private func names(_ path: String, mustBeDotted: Bool) -> Bool {
        let root = path.prefix { $0 != "." }
        guard isKnown(String(root)) else { return false }
        return root.count < path.count || (!mustBeDotted && !Self.common.contains(path))
    }

    private func add(_ tag: Substring, instead: String, in text: Substring, to tags: inout [Tag]) {
        let before = text[..<tag.startIndex].utf8.count { $0 == UInt8(ascii: "\n") }
        let quote = tag.contains("'") ? "\"" : "'"
        let literal = "{{\(quote)\(tag)\(quote)}}"
        let message = "\(InvalidText.quoted(String(tag))) is plain text here (write \(instead), or \(literal) if this text is meant)"
        tags.append(Tag(message: message, linesBefore: before))
    }
}
