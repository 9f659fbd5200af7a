import JobModel
import ModelCalls

/// A request, as the program takes it: what its process must be started with, and the one message it is sent.
///
/// The program holds conversations of its own and takes no one else's. So a system text becomes its system prompt, the last message
/// goes as it is, and messages before that stand in front of it, as a transcript (``transcript(of:)``).
struct ClaudeCodePrompt: Sendable, Equatable {
    /// What the process is started with.
    var key: ClaudeCodeKey
    /// The message's content: text, or a list of Anthropic's content blocks.
    var content: JSONValue

    /// The longest schema, in bytes: it travels as an argument, of which Linux allows 128 KiB.
    static let maxSchemaBytes = 100_000

    /// Translates a request.
    /// - Throws: `ModelFailure` (`permanent`), naming what the program has no means to be told: nothing is dropped silently.
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

    /// The line that asks.
    /// - Parameter isComposed: whether to say that a program wrote the text, so that `@path` and `/command` in it mean nothing. An
    ///   older program does not know the word, and does not mind it.
    func line(isComposed: Bool = true) -> [UInt8] { Self.line(content, isComposed: isComposed) }

    /// The line that makes the program forget the conversation: a command of its own, so not composed.
    static let clearLine = line("/clear", isComposed: false)

    private static func line(_ content: JSONValue, isComposed: Bool) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("type", "user"), .init("message", ["role": "user", "content": content]), .init("parent_tool_use_id", .null),
            .init("session_id", ""),
        ]
        if isComposed { members.append(.init("client_composed", true)) }
        return JSONValue.object(members).utf8(sorted: false) + [UInt8(ascii: "\n")]
    }

    /// Whether a text in it would mean something else to a program that expands `@path`.
    var holdsAt: Bool { texts.contains { $0.utf8.contains(UInt8(ascii: "@")) } }
    /// Whether a text in it would be taken for a command by a program that has them.
    var beginsLikeACommand: Bool { texts.contains { $0.first { !$0.isWhitespace } == "/" } }

    private var texts: [String] {
        content.string.map { [$0] } ?? (content.array ?? []).compactMap { $0["text"]?.string }
    }

    static func refusal(_ words: String) -> ModelFailure {
        ModelFailure.unsent("claude \(Redaction.line(words))")
    }
}
