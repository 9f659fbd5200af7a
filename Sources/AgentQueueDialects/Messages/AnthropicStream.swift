import AgentQueueModel

/// Assembles a message from the events of a stream.
package struct AnthropicStream: Sendable {
    private struct Block {
        var members: [JSONValue.Member]
        var text = JoinedText()
        var thinking = JoinedText()
        var signature = ""
        var json = JoinedText()
        var citations: [JSONValue] = []
        /// Its place among the calls of tools; nil if it is none.
        var call: Int?
    }

    /// The server's events could not be understood. The words are the end of a sentence.
    package struct Malformed: Error {
        package var words: String

        package init(words: String) {
            self.words = words
        }
    }

    /// Whether the model has begun to answer.
    package private(set) var hasBegun = false
    /// Whether the message is complete, with the reason why it ended.
    package private(set) var isComplete = false
    /// The error that the server ended the stream with.
    package private(set) var error: OpenAIError?
    /// The tokens counted so far.
    package private(set) var usage = AnthropicUsage()

    private var reader = EventReader()
    private var message: [JSONValue.Member] = []
    private var blocks: [Int: Block] = [:]
    private var callCount = 0
    /// The latest count of each kind.
    private var usageMembers: [JSONValue.Member] = []
    private var content = JoinedText()

    package init() {}

    /// The answer's text so far.
    package var text: String { content.text }

    /// Whether events that arrive now are ignored.
    package var isOver: Bool { isComplete || error != nil }

    /// Takes the next event and returns what it adds to the answer. Unknown events are skipped.
    /// - Throws: `Malformed`.
    package mutating func take(_ event: ServerSentEvent) throws(Malformed) -> [ReplyEvent] {
        guard !isOver else { return [] }
        let isKnown = event.name.map(Self.names.contains) ?? false
        let contents: [EventReader.Content]
        do throws(UnreadableEvent) {
            contents = try reader.read(event, isPiece: isKnown)
        } catch {
            // An unknown event that cannot be read is no loss.
            if event.name != nil, !isKnown { return [] }
            throw Malformed(words: error.words)
        }
        var events: [ReplyEvent] = []
        for case .json(let piece) in contents where !isOver { try take(piece, name: event.name, &events) }
        return events
    }

    private mutating func take(_ piece: JSONPiece, name: String?, _ events: inout [ReplyEvent]) throws(Malformed) {
        let data = piece.value
        let index = data["index"]?.int ?? 0
        switch data["type"]?.string ?? name {
        case "message_start":
            hasBegun = true
            message = data["message"]?.members ?? []
            events.append(.begin(model: data["message"]?["model"]?.string, id: data["message"]?["id"]?.string, native: nil))
            take(usage: data["message"]?["usage"], &events)
        case "content_block_start":
            begin(index, data["content_block"]?.members ?? [], piece.unjoined["content_block"], piece.hasHalves, &events)
        case "content_block_delta": add(piece.unjoined["delta"] ?? .null, to: index, piece.hasHalves, &events)
        case "content_block_stop":
            if let signature = blocks[index]?.signature, !signature.isEmpty { events.append(.signature(signature)) }
        case "message_delta":
            for member in data["delta"]?.members ?? [] {
                message.removeAll { $0.key == member.key }
                message.append(member)
            }
            take(usage: data["usage"], &events)
            let reason = AnthropicReply.finishReason(data["delta"]?["stop_reason"]?.string, hasCalls: callCount > 0)
            if let reason { events.append(.finish(reason)) }
        case "message_stop":
            // Without a beginning or a reason for its end, something was lost.
            isComplete = hasBegun && message.contains { $0.key == "stop_reason" && $0.value.string != nil }
            if !isComplete { throw Malformed(words: "ended an answer without saying why") }
        case "error": error = OpenAIError(body: data) ?? OpenAIError()
        case nil: error = OpenAIError(body: data)
        default: break
        }
    }

    private static let names: Set<String> = [
        "message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop", "error",
    ]

    private mutating func take(usage counts: JSONValue?, _ events: inout [ReplyEvent]) {
        guard let counts, let members = counts.members else { return }
        usage.take(counts)
        for member in members where !member.value.isNull {
            usageMembers.removeAll { $0.key == member.key }
            usageMembers.append(member)
        }
        events.append(.usage(usage.usage))
    }

    private mutating func begin(
        _ index: Int, _ members: [JSONValue.Member], _ unjoined: JSONValue?, _ hasHalves: Bool, _ events: inout [ReplyEvent]
    ) {
        hasBegun = true
        var block = Block(members: members)
        block.text.append(unjoined?["text"]?.string ?? "", hasHalves: hasHalves)
        let thought = block.thinking.append(unjoined?["thinking"]?.string ?? "", hasHalves: hasHalves)
        block.signature = value("signature", of: members)
        switch type(of: members) {
        case "text":
            let text = content.append(unjoined?["text"]?.string ?? "", hasHalves: hasHalves)
            if !text.isEmpty { events.append(.text(text)) }
        case "thinking":
            if !thought.isEmpty { events.append(.reasoning(thought)) }
        case "tool_use":
            block.call = callCount
            callCount += 1
            events.append(.toolCall(index: callCount - 1, id: value("id", of: members), name: value("name", of: members)))
            if let input = members.first(where: { $0.key == "input" })?.value, input.members?.isEmpty == false {
                events.append(.arguments(index: callCount - 1, input.text))
            }
        default: break
        }
        blocks[index] = block
    }

    private mutating func add(_ delta: JSONValue, to index: Int, _ hasHalves: Bool, _ events: inout [ReplyEvent]) {
        hasBegun = true
        func string(_ key: String) -> String { delta[key]?.string ?? "" }
        switch delta["type"]?.string {
        case "text_delta":
            blocks[index, default: Block(members: [.init("type", "text")])].text.append(string("text"), hasHalves: hasHalves)
            let text = content.append(string("text"), hasHalves: hasHalves)
            if !text.isEmpty { events.append(.text(text)) }
        case "input_json_delta":
            let json = blocks[index, default: Block(members: [.init("type", "tool_use")])].json
                .append(string("partial_json"), hasHalves: hasHalves)
            if let call = blocks[index]?.call, !json.isEmpty { events.append(.arguments(index: call, json)) }
        case "thinking_delta":
            let thought = blocks[index, default: Block(members: [.init("type", "thinking")])].thinking
                .append(string("thinking"), hasHalves: hasHalves)
            if !thought.isEmpty { events.append(.reasoning(thought)) }
        case "signature_delta": blocks[index]?.signature += string("signature")
        case "citations_delta": if let citation = delta["citation"] { blocks[index]?.citations.append(citation.withoutHalves) }
        default: break
        }
    }

    private func value(_ key: String, of members: [JSONValue.Member]) -> String {
        members.first { $0.key == key }?.value.string ?? ""
    }

    private func type(of members: [JSONValue.Member]) -> String { value("type", of: members) }

    /// The message as if it had arrived in one piece, without its usage. A tool's input that is not JSON is a string.
    package var body: JSONValue {
        let content = blocks.sorted { $0.key < $1.key }.map { JSONValue.object(whole($0.value)) }
        return .object(message.filter { $0.key != "content" } + [.init("content", .array(content))])
    }

    /// The message as the server would have written it in one piece; nil if it is not whole.
    package var nativeBody: JSONValue? {
        guard isComplete, let members = body.members else { return nil }
        return .object(members.filter { $0.key != "usage" } + [.init("usage", .object(usageMembers))])
    }

    private func whole(_ block: Block) -> [JSONValue.Member] {
        var members = block.members
        func set(_ key: String, _ value: JSONValue) {
            if let index = members.firstIndex(where: { $0.key == key }) {
                members[index].value = value
            } else {
                members.append(.init(key, value))
            }
        }
        switch type(of: block.members) {
        case "text": set("text", .string(block.text.text))
        case "thinking":
            set("thinking", .string(block.thinking.text))
            set("signature", .string(block.signature))
        default: break
        }
        if !block.json.isEmpty { set("input", (try? JSONValue.parseLeniently(block.json.text)) ?? .string(block.json.text)) }
        if !block.citations.isEmpty {
            let first = block.members.first { $0.key == "citations" }?.value.array ?? []
            set("citations", .array(first + block.citations))
        }
        return members
    }
}
