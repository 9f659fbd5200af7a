import JobModel

/// How memories are put into a prompt. A memory is data: whatever its text says, it stands in its own place of the list.
enum RecallPrompt {
    /// Where the memories stand in a template.
    static let place = "{{memories}}"

    // MARK: What is looked for

    /// The text of the last message of the user; nil where there is none.
    static func text(of body: JSONValue) -> String? {
        guard let last = body["messages"]?.array?.last(where: { $0["role"]?.string == "user" }) else { return nil }
        if let text = last["content"]?.string { return isBlank(text) ? nil : text }
        let parts = (last["content"]?.array ?? []).compactMap { $0["text"]?.string }.filter { !isBlank($0) }
        return parts.isEmpty ? nil : parts.joined(separator: "\n")
    }

    /// A text as it is looked for, of so many characters at most: a model cuts what is longer, or refuses it. A question stands at the
    /// beginning of a long message, or at its end.
    static func query(_ text: String, atMost length: Int) -> String {
        guard text.unicodeScalars.count > length else { return text }
        let half = length / 2
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(half))) + "\n"
            + String(String.UnicodeScalarView(text.unicodeScalars.suffix(half)))
    }

    private static func isBlank(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(\.properties.isWhitespace) }

    // MARK: What is put in

    /// A template with memories in its place, the best first, as many as fit.
    /// - Returns: the text, and how many memories it holds; nil where none fits.
    static func block(_ texts: [String], template: String, atMost bytes: Int = MemoryUse.mostBytes) -> (text: String, count: Int)? {
        let parts = template.split(separator: place, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var entries: [String] = []
        var left = bytes - parts[0].utf8.count - parts[1].utf8.count
        for text in texts {
            let entry = entry(text)
            left -= entry.utf8.count + 1
            guard left >= 0 else { break }
            entries.append(entry)
        }
        guard !entries.isEmpty else { return nil }
        return (parts[0] + entries.joined(separator: "\n") + parts[1], entries.count)
    }

    /// One memory, as an entry of a list: its further lines are indented, so that none of them begins where an entry, or what stands after
    /// the list, would.
    private static func entry(_ text: String) -> String {
        var entry = "- "
        var wasReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where wasReturn: break
            case "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}": entry += "\n  "
            default: entry.unicodeScalars.append(scalar)
            }
            wasReturn = scalar == "\r"
        }
        return entry
    }

    /// A request's body with a text before the last message of the user.
    static func body(_ body: JSONValue, with block: String) -> JSONValue {
        guard let members = body.members, var messages = body["messages"]?.array,
            let place = messages.lastIndex(where: { $0["role"]?.string == "user" }), let message = messages[place].members
        else { return body }
        messages[place] = .object(
            message.map { member in
                guard member.key == "content" else { return member }
                switch member.value {
                case .string(let text): return .init("content", .string(block + "\n\n" + text))
                case .array(let parts): return .init("content", .array([["type": "text", "text": .string(block)]] + parts))
                default: return member
                }
            })
        return .object(members.map { $0.key == "messages" ? .init("messages", .array(messages)) : $0 })
    }
}
