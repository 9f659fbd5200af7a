import AgentQueueModel

/// Writes answers as the events of Anthropic's messages. A provider's own events pass as they came.
struct MessagesStreamRenderer: StreamRenderer {
    private let context: ReplyContext
    private var isNative = false
    private var hasBegun = false
    private var isOver = false
    private var model: String
    private var usage = Usage()
    private var sequence = BlockSequence()
    private var progress = ReplyProgress()
    /// The index of the block that is open, or of the next one.
    private var index = 0
    /// The kind of the open block.
    private var block = BlockSequence.Block.text
    /// The provider's own end.
    private var nativeEnd: [UInt8] = []
    private var hasNativeStop = false

    init(_ context: ReplyContext) {
        self.context = context
        model = context.model
    }

    mutating func render(_ event: ReplyEvent, sample: Int) -> [UInt8] {
        switch event {
        case .begin(let model, _, let native):
            self.model = model ?? self.model
            isNative = native == .messages
            return isNative ? [] : begin()
        case .native(let name, let data): return isNative ? native(name, data) : []
        case .usage(let usage):
            self.usage = usage
            return []
        default: return isNative ? [] : piece(event)
        }
    }

    private mutating func begin() -> [UInt8] {
        guard !hasBegun else { return [] }
        hasBegun = true
        let message =
            MessagesReplyRenderer.head(model: model, context) + [
                .init("content", []), .init("stop_reason", .null), .init("stop_sequence", .null),
                .init("usage", MessagesReplyRenderer.usage(usage)),
            ]
        return Self.event("message_start", [.init("message", .object(message))])
    }

    private static func event(_ type: String, _ members: [JSONValue.Member] = []) -> [UInt8] {
        ServerSentEventWriter.event(.object([.init("type", .string(type))] + members), name: type)
    }

    private mutating func piece(_ event: ReplyEvent) -> [UInt8] {
        // Only Anthropic's own thinking has the signature that a block of it needs.
        if case .reasoning = event { return [] }
        progress.take(event)
        let start = begin()
        return sequence.take(event).reduce(into: start) { $0 += step($1) }
    }

    private mutating func step(_ step: BlockSequence.Step) -> [UInt8] {
        let place = JSONValue.Member("index", .integer(Int64(index)))
        switch step {
        case .open(let block):
            self.block = block
            let content: JSONValue
            if case .call(let id, let name) = block {
                content = ["type": "tool_use", "id": .string(id), "name": .string(name), "input": .object([])]
            } else {
                content = ["type": "text", "text": ""]
            }
            return Self.event("content_block_start", [place, .init("content_block", content)])
        case .add(let text):
            let delta: JSONValue
            if case .call = block {
                delta = ["type": "input_json_delta", "partial_json": .string(text)]
            } else {
                delta = ["type": "text_delta", "text": .string(text)]
            }
            return Self.event("content_block_delta", [place, .init("delta", delta)])
        case .close:
            index += 1
            return Self.event("content_block_stop", [place])
        }
    }

    mutating func end(_ answer: Answer, sample: Int) -> [UInt8] {
        guard !isOver else { return [] }
        isOver = true
        if isNative, hasBegun {
            if nativeEnd.isEmpty { nativeEnd += delta(of: answer) }
            return hasNativeStop ? nativeEnd : nativeEnd + Self.event("message_stop")
        }
        if !hasBegun, let own = answer.native(.messages).flatMap({ try? JSONValue.parse($0) }) { return MessageEvents.events(of: own) }
        if !hasBegun {
            model = answer.reply.model ?? model
            usage = answer.reply.usage
            usage.outputTokens = 0
        }
        var bytes = begin()
        for event in progress.rest(of: answer) { bytes += piece(event) }
        for last in sequence.end() { bytes += step(last) }
        return bytes + delta(of: answer) + Self.event("message_stop")
    }

    private func delta(of answer: Answer) -> [UInt8] {
        let usage = MessagesReplyRenderer.usage(answer.reply.usage).removing(["service_tier"])
        return Self.event(
            "message_delta", [.init("delta", .object(MessagesReplyRenderer.ending(of: answer))), .init("usage", usage)])
    }

    mutating func ping(asChunk: Bool) -> [UInt8] { Self.event("ping") }

    mutating func failure(_ error: GatewayError) -> [UInt8] {
        ServerSentEventWriter.event(
            text: String(decoding: error.body(.anthropic, requestID: context.requestID), as: UTF8.self), name: "error")
    }

    /// A provider's own event. `message_delta`, and what follows it, wait for the commit.
    private mutating func native(_ name: String?, _ data: String) -> [UInt8] {
        // What is no object holds no piece of the answer.
        guard data.utf8.first(where: { !" \t".utf8.contains($0) }) == UInt8(ascii: "{") else { return [] }
        let type = name ?? (try? JSONValue.parse(data))?["type"]?.string
        switch type {
        // The queue may ask again, and says itself if it does not.
        case "error": return []
        case "ping" where !nativeEnd.isEmpty: return []
        case "message_stop": hasNativeStop = true
        default: break
        }
        hasBegun = true
        let bytes = ServerSentEventWriter.event(text: data, name: name ?? type)
        guard type == "message_delta" || type == "message_stop" || !nativeEnd.isEmpty else { return bytes }
        nativeEnd += bytes
        return []
    }
}

/// Takes a message that came in one piece apart into the events of a stream.
enum MessageEvents {
    static func events(of message: JSONValue) -> [UInt8] {
        var start: [JSONValue.Member] = []
        var ending: [JSONValue.Member] = []
        for member in message.members ?? [] {
            switch member.key {
            case "content": start.append(.init("content", []))
            case "usage": start.append(.init("usage", member.value.setting("output_tokens", 0)))
            case "stop_reason", "stop_sequence", "stop_details", "container":
                start.append(.init(member.key, .null))
                ending.append(member)
            default: start.append(member)
            }
        }
        var bytes = event("message_start", [.init("message", .object(start))])
        for (index, block) in (message["content"]?.array ?? []).enumerated() {
            let place = JSONValue.Member("index", .integer(Int64(index)))
            let (head, deltas) = apart(block)
            bytes += event("content_block_start", [place, .init("content_block", head)])
            for delta in deltas { bytes += event("content_block_delta", [place, .init("delta", delta)]) }
            bytes += event("content_block_stop", [place])
        }
        let usage = (message["usage"] ?? ["output_tokens": 0]).removing(["service_tier", "inference_geo"])
        bytes += event("message_delta", [.init("delta", .object(ending)), .init("usage", usage)])
        return bytes + event("message_stop", [])
    }

    private static func event(_ type: String, _ members: [JSONValue.Member]) -> [UInt8] {
        ServerSentEventWriter.event(.object([.init("type", .string(type))] + members), name: type)
    }

    /// A block as it starts, and what is added to it. A block of a kind that has no deltas starts whole.
    private static func apart(_ block: JSONValue) -> (head: JSONValue, deltas: [JSONValue]) {
        var head = block
        var deltas: [JSONValue] = []
        func pieces(_ key: String, _ type: JSONValue, as name: String) {
            guard let text = block[key]?.string else { return }
            head = head.setting(key, "")
            deltas += TextPieces(text).map { .object([.init("type", type), .init(name, .string($0))]) }
        }
        switch block["type"]?.string {
        case "text":
            pieces("text", "text_delta", as: "text")
            if let citations = block["citations"]?.array {
                head = head.setting("citations", [])
                deltas += citations.map { ["type": "citations_delta", "citation": $0] }
            }
        case "thinking":
            pieces("thinking", "thinking_delta", as: "thinking")
            if let signature = block["signature"], signature.string?.isEmpty == false {
                head = head.setting("signature", "")
                deltas.append(["type": "signature_delta", "signature": signature])
            }
        default:
            guard let input = block["input"], input.members != nil else { break }
            head = head.setting("input", .object([]))
            deltas += TextPieces(input.text).map { ["type": "input_json_delta", "partial_json": .string($0)] }
        }
        return (head, deltas)
    }
}
