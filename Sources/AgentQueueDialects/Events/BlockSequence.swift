import AgentQueueModel

/// Puts the pieces of an answer in the order that Anthropic's messages and OpenAI's responses want: one block after the other, each closed
/// before the next is opened.
///
/// A chat's tool calls may arrive interleaved. A call stays open until its arguments are whole, and what comes for other blocks meanwhile
/// waits.
struct BlockSequence: Sendable {
    enum Block: Sendable, Equatable {
        case text
        case refusal
        case reasoning
        case call(id: String, name: String)
    }

    enum Step: Sendable, Equatable {
        case open(Block)
        case add(String)
        case close
    }

    private var block: Block?
    private var call: Int?
    private var arguments = JSONExtent()
    private var seenCalls: Set<Int> = []
    private var waiting: [ReplyEvent] = []

    /// Takes the next event. Those that are no piece of the answer are skipped.
    mutating func take(_ event: ReplyEvent) -> [Step] {
        guard let call, !arguments.isWhole else { return apply(event) }
        if case .arguments(call, _) = event {
            var steps = apply(event)
            if arguments.isWhole { steps += takeWaiting() }
            return steps
        }
        if Self.isPiece(event) { waiting.append(event) }
        return []
    }

    /// Takes the end: what waits goes out, though the arguments before it are not whole.
    mutating func end() -> [Step] {
        var steps = close()
        while !waiting.isEmpty {
            let event = waiting.removeFirst()
            steps += apply(event)
            guard case .toolCall(let index, _, _) = event else { continue }
            for case .arguments(index, let text) in waiting { steps += apply(.arguments(index: index, text)) }
            waiting.removeAll { if case .arguments(index, _) = $0 { true } else { false } }
        }
        return steps + close()
    }

    private mutating func takeWaiting() -> [Step] {
        let events = waiting
        waiting = []
        return events.reduce(into: []) { $0 += take($1) }
    }

    private static func isPiece(_ event: ReplyEvent) -> Bool {
        switch event {
        case .text, .reasoning, .refusal, .toolCall, .arguments: true
        default: false
        }
    }

    private mutating func apply(_ event: ReplyEvent) -> [Step] {
        switch event {
        case .text(let text): return add(text, to: .text)
        case .reasoning(let text): return add(text, to: .reasoning)
        case .refusal(let text): return add(text, to: .refusal)
        case .toolCall(let index, let id, let name):
            // Some servers repeat the id with every piece.
            guard seenCalls.insert(index).inserted else { return [] }
            let steps = open(.call(id: id, name: name))
            (call, arguments) = (index, JSONExtent())
            return steps
        case .arguments(let index, let text):
            guard index == call, !text.isEmpty else { return [] }
            arguments.take(text)
            return [.add(text)]
        default: return []
        }
    }

    private mutating func add(_ text: String, to kind: Block) -> [Step] {
        guard !text.isEmpty else { return [] }
        return (block == kind ? [] : open(kind)) + [.add(text)]
    }

    private mutating func open(_ next: Block) -> [Step] {
        let steps = close()
        block = next
        return steps + [.open(next)]
    }

    private mutating func close() -> [Step] {
        defer { (block, call) = (nil, nil) }
        return block == nil ? [] : [.close]
    }
}

/// Finds the end of a JSON object or array that arrives in pieces.
struct JSONExtent: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether the value is closed. A value without braces or brackets never is: it may go on.
    private(set) var isWhole = false

    mutating func take(_ text: String) {
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { isWhole = true }
            default: break
            }
        }
    }
}

/// How much of an answer has gone out, so that its end can bring what its stream did not: all of an answer that was not streamed, the
/// calls of a provider that streams text only.
struct ReplyProgress: Sendable {
    private var text = 0
    private var reasoning = 0
    private var refusal = 0
    /// The calls in their order, each with the bytes of its arguments.
    private var calls: [(index: Int, bytes: Int)] = []

    mutating func take(_ event: ReplyEvent) {
        switch event {
        case .text(let piece): text += piece.utf8.count
        case .reasoning(let piece): reasoning += piece.utf8.count
        case .refusal(let piece): refusal += piece.utf8.count
        case .toolCall(let index, _, _):
            if !calls.contains(where: { $0.index == index }) { calls.append((index, 0)) }
        case .arguments(let index, let piece):
            if let place = calls.firstIndex(where: { $0.index == index }) { calls[place].bytes += piece.utf8.count }
        default: break
        }
    }

    /// The pieces that have not gone out.
    func rest(of answer: Answer) -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        func add(_ whole: String?, after sent: Int, _ make: (String) -> ReplyEvent) {
            guard let whole, whole.utf8.count > sent else { return }
            let rest = sent == 0 ? whole : String(decoding: whole.utf8.dropFirst(sent), as: UTF8.self)
            events += TextPieces(rest).map(make)
        }
        add(answer.reply.reasoning, after: reasoning) { .reasoning($0) }
        add(answer.reply.text, after: text) { .text($0) }
        // What a model wrote before it declined may be its refusal's own words.
        if let words = answer.refusal, refusal > 0 || words.utf8.count != text { add(words, after: refusal) { .refusal($0) } }
        var free = (calls.map(\.index).max() ?? -1) + 1
        for (place, call) in answer.toolCalls.enumerated() {
            if calls.indices.contains(place) {
                // Arguments that have gone out are whole, but may be written otherwise in the reply: with other spaces and escapes.
                guard calls[place].bytes == 0 else { continue }
                add(call.arguments, after: 0) { .arguments(index: calls[place].index, $0) }
            } else {
                events.append(.toolCall(index: free, id: call.id, name: call.name))
                add(call.arguments, after: 0) { .arguments(index: free, $0) }
                free += 1
            }
        }
        return events
    }
}
