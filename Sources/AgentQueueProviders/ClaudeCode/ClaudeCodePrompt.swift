import AgentQueueDialects
import AgentQueueModel

/// A request as the program takes it: what its process must be started with, and the one message that is sent.
///
/// The program keeps its own conversations and accepts no others. So the system text becomes its system prompt, the last message is sent as
/// it is, and earlier messages precede it as a transcript (``transcript(of:)``).
struct ClaudeCodePrompt: Sendable, Equatable {
    /// What the process must be started with.
    var key: ClaudeCodeKey
    /// The message's content: text, or a list of Anthropic's content blocks.
    var content: JSONValue

    /// The longest schema, in bytes: it is passed as an argument, and Linux allows 128 KiB for one.
    static let maxSchemaBytes = 100_000

    /// Translates a request.
    /// - Throws: `ModelFailure` (`permanent`) that names what the program cannot be told: nothing is dropped silently.
    init(_ request: ModelRequest) throws(ModelFailure) {
        guard request.kind == .generate else {
            throw Self.refusal("has no embeddings: give this job another target")
        }
        guard let members = request.body.members else {
            throw Self.refusal("was asked with \(request.body.kindName), not an object")
        }
        key = ClaudeCodeKey(model: request.target.model)
        try key.read(members)
        let messages = request.body["messages"]?.array ?? []
        key.system = try Self.system(messages)
        content = try Self.content(messages.filter { !Self.isSystem($0) })
    }

    /// Why the program cannot be told what some members of a request say; nil if it can.
    static func refusal(of members: [JSONValue.Member]) -> ModelFailure? {
        do throws(ModelFailure) {
            var key = ClaudeCodeKey(model: "")
            try key.read(members)
            guard let messages = members.first(where: { $0.key == "messages" })?.value.array else { return nil }
            _ = try system(messages)
            _ = try content(messages.filter { !isSystem($0) })
            return nil
        } catch {
            return error
        }
    }

    /// The line with the prompt.
    /// - Parameter isComposed: whether to say that a program wrote the text, so that `@path` and `/command` in it mean nothing. Older
    ///   versions ignore this.
    func line(isComposed: Bool = true) -> [UInt8] { Self.line(content, isComposed: isComposed) }

    /// The line that makes the program forget the conversation. It is a command, so not marked as composed.
    static let clearLine = line("/clear", isComposed: false)

    private static func line(_ content: JSONValue, isComposed: Bool) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("type", "user"), .init("message", ["role": "user", "content": content]), .init("parent_tool_use_id", .null),
            .init("session_id", ""),
        ]
        if isComposed { members.append(.init("client_composed", true)) }
        return JSONValue.object(members).utf8(sorted: false) + [UInt8(ascii: "\n")]
    }

    /// Whether a program that expands `@path` would misread any of its text.
    var holdsAt: Bool { texts.contains { $0.utf8.contains(UInt8(ascii: "@")) } }
    /// Whether a program with commands would take any of its text for one.
    var beginsLikeACommand: Bool { texts.contains { $0.first { !$0.isWhitespace } == "/" } }

    private var texts: [String] {
        content.string.map { [$0] } ?? (content.array ?? []).compactMap { $0["text"]?.string }
    }

    static func refusal(_ words: String) -> ModelFailure {
        ModelFailure.unsent("claude \(Redaction.line(words))")
    }
}

extension ClaudeCodePrompt {
    static func isSystem(_ message: JSONValue) -> Bool { ["system", "developer"].contains(message["role"]?.string) }

    /// All system texts, wherever they are, separated by blank lines.
    static func system(_ messages: [JSONValue]) throws(ModelFailure) -> String {
        var texts: [String] = []
        for message in messages where isSystem(message) {
            try check(message)
            texts.append(try text(of: message, in: "a system message"))
        }
        return texts.joined(separator: "\n\n")
    }

    /// What to send for a conversation: its last message, after a transcript of the earlier ones.
    static func content(_ messages: [JSONValue]) throws(ModelFailure) -> JSONValue {
        guard let last = messages.last else { throw refusal("needs a message of a user's") }
        for message in messages { try check(message) }
        guard last["role"]?.string == "user" else {
            throw refusal("answers users: it cannot be asked with a last message of the role '\(last["role"]?.string ?? "")'")
        }
        let before = messages.dropLast()
        guard !before.isEmpty else { return try content(of: last) }
        let transcript = try transcript(of: Array(before))
        switch try content(of: last) {
        case .string(let text): return .string(transcript + text)
        case .array(let blocks): return .array([["type": "text", "text": .string(transcript)]] + blocks)
        case let other: return other
        }
    }

    /// The transcript of earlier messages: one JSON object a line, so that no text in it can be mistaken for another message or for the end
    /// of the transcript.
    ///
    ///     The conversation so far, one message a line, as JSON:
    ///     {"role":"user","content":"Name a colour."}
    ///     {"role":"assistant","content":"Blue."}
    ///
    ///     The user's next message, which is the one to answer:
    ///     Another one.
    static func transcript(of messages: [JSONValue]) throws(ModelFailure) -> String {
        var lines = ["The conversation so far, one message a line, as JSON:"]
        for message in messages {
            let text = try text(of: message, in: "an earlier message")
            let line: JSONValue = ["role": .string(message["role"]?.string ?? ""), "content": .string(text)]
            lines.append(line.text)
        }
        return lines.joined(separator: "\n") + "\n\nThe user's next message, which is the one to answer:\n"
    }

    /// Refuses what cannot be said in a transcript.
    private static func check(_ message: JSONValue) throws(ModelFailure) {
        let role = message["role"]?.string ?? ""
        guard isSystem(message) || ["user", "assistant"].contains(role) else {
            throw refusal("cannot be told of a message of the role '\(role)'")
        }
        for member in message.members ?? [] where !["role", "content", "cache_control"].contains(member.key) {
            let isEmpty = member.value.isNull || member.value.array?.isEmpty == true
            guard isEmpty else { throw refusal("cannot be told of '\(member.key)' in a message") }
        }
    }

    /// A message that must be text.
    private static func text(of message: JSONValue, in place: String) throws(ModelFailure) -> String {
        if let text = message["content"]?.string { return text }
        var texts: [String] = []
        for part in message["content"]?.array ?? [] {
            guard part["type"]?.string == "text", let text = part["text"]?.string else {
                throw refusal("takes text only in \(place), not '\(part["type"]?.string ?? "")'")
            }
            texts.append(text)
        }
        return texts.joined()
    }

    /// The last message's content, in Anthropic's form.
    private static func content(of message: JSONValue) throws(ModelFailure) -> JSONValue {
        if let text = message["content"]?.string { return .string(text) }
        var blocks: [JSONValue] = []
        for part in message["content"]?.array ?? [] { blocks.append(try block(part)) }
        guard !blocks.isEmpty else { throw refusal("needs a message of a user's with something in it") }
        return .array(blocks)
    }

    private static func block(_ part: JSONValue) throws(ModelFailure) -> JSONValue {
        let type = part["type"]?.string ?? ""
        switch type {
        case "text":
            guard let text = part["text"]?.string else { throw refusal("was sent a text part without a text") }
            return ["type": "text", "text": .string(text)]
        case "image_url":
            guard let url = part["image_url"]?["url"]?.string ?? part["image_url"]?.string, let source = imageSource(url) else {
                throw refusal("takes an image as a data URL with base64, or from https")
            }
            return ["type": "image", "source": source]
        case "image", "document":
            // Anthropic's own form, from one of its batch files.
            return .object((part.members ?? []).filter { $0.key != "cache_control" })
        default:
            throw refusal("cannot be sent a part of the type '\(type)'")
        }
    }

    /// `data:image/png;base64,…` or an https address as the source of an image block.
    private static func imageSource(_ url: String) -> JSONValue? {
        if url.hasPrefix("https://") { return ["type": "url", "url": .string(url)] }
        guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else { return nil }
        let head = url[url.index(url.startIndex, offsetBy: 5)..<comma].split(separator: ";")
        guard let type = head.first, type.hasPrefix("image/"), head.last == "base64" else { return nil }
        return [
            "type": "base64", "media_type": .string(String(type)), "data": .string(String(url[url.index(after: comma)...])),
        ]
    }
}
