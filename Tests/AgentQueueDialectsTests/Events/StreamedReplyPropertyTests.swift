import AgentQueueDialects
import AgentQueueModel
import AgentQueueTestSupport
import Testing

/// Streamed, whole from the cache, or in one piece: an answer is the same.
@Suite struct StreamedReplyPropertyTests {
    private static let forms: [RequestForm] = [.chat, .messages, .responses]

    @Test(arguments: forms) func aStreamAssemblesToTheBody(_ form: RequestForm) throws {
        for seed in UInt64(1)...150 {
            var random = RandomReply(seed: seed)
            let (answer, events) = random.answer(interleaves: form == .chat || seed.isMultiple(of: 2))
            let context = ReplyContext.sample(includesUsage: true)
            var stream = try #require(ReplyRenderer.stream(form, context: context))
            // A stream may bring anything from nothing to all of the answer, but no part of a call's arguments.
            let shown = events.prefix(RandomReply.cut(events, near: Int(seed) % (events.count + 1)))
            var bytes = shown.isEmpty ? [] : stream.render(.begin(model: "said", id: nil, native: nil))
            for event in shown { bytes += stream.render(event) }
            #expect(try StreamReading.reply(bytes, form: form) == nil, "the end is held back, seed \(seed)")
            bytes += stream.end(answer)

            let body = ReplyRenderer.body(of: answer, form: form, context: context)
            let streamed = try #require(try StreamReading.reply(bytes, form: form), "seed \(seed)")
            let single = try StreamReading.reply(body: body, form: form)
            #expect(try RandomReply.withExactCalls(streamed) == RandomReply.withExactCalls(single), "\(form), seed \(seed)")
            #expect(streamed.text ?? "" == answer.reply.text ?? "")
            #expect(streamed.usage == answer.reply.usage)
            #expect(streamed.finishReason == answer.reply.finishReason)
            #expect(try RandomReply.calls(streamed) == RandomReply.calls(answer.reply), "seed \(seed)")
        }
    }

    @Test(arguments: forms) func aNativeAnswerFromTheCacheAssemblesToItself(_ form: RequestForm) throws {
        for seed in UInt64(1)...60 {
            var random = RandomReply(seed: seed)
            var (answer, _) = random.answer(interleaves: false)
            let context = ReplyContext.sample(includesUsage: true)
            let body = ReplyRenderer.body(of: answer, form: form, context: context)
            answer.reply.native = NativeReply(form: form, body: text(body))
            #expect(ReplyRenderer.body(of: answer, form: form, context: context) == body)

            var stream = try #require(ReplyRenderer.stream(form, context: context))
            let streamed = try #require(try StreamReading.reply(stream.end(answer), form: form), "seed \(seed)")
            let single = try StreamReading.reply(body: body, form: form)
            #expect(try RandomReply.withExactCalls(streamed) == RandomReply.withExactCalls(single), "\(form), seed \(seed)")
        }
    }

    @Test func everySampleOfAStreamIsThatOfTheBody() throws {
        for seed in UInt64(1)...60 {
            var random = RandomReply(seed: seed)
            let samples = (0..<3).map { _ in random.answer(interleaves: true) }
            var context = ReplyContext.sample(includesUsage: true)
            context.samples = 3
            var stream = try #require(ReplyRenderer.stream(.chat, context: context))
            var bytes: [UInt8] = []
            let longest = samples.map(\.events.count).max() ?? 0
            for place in 0..<longest {
                for (index, sample) in samples.enumerated() where place < sample.events.count {
                    bytes += stream.render(sample.events[place], sample: index)
                }
            }
            for index in [2, 0, 1] { bytes += stream.end(samples[index].answer, sample: index) }
            let whole = try json(ReplyRenderer.body(of: samples.map(\.answer), form: .chat, context: context))
            #expect(text(bytes).hasSuffix("data: [DONE]\n\n"))

            let chunks = try StreamReading.values(bytes)
            #expect(chunks.last?["usage"] == whole["usage"])
            for index in 0..<3 {
                let own = chunks.filter { $0["choices"]?.array?.first?["index"]?.int == index }
                var assembled = ChatStream()
                for chunk in own {
                    let choice = (chunk["choices"]?.array?.first?.members ?? []).filter { $0.key != "index" }
                    let event = JSONValue.object(
                        (chunk.members ?? []).map { $0.key == "choices" ? .init("choices", [.object(choice)]) : $0 })
                    _ = assembled.take(ServerSentEvent(name: nil, data: event.text))
                }
                let choice = try #require(whole["choices"]?.array?[index])
                let streamed = try OpenAIReply.chat(try #require(assembled.body), requestID: nil)
                let single = try OpenAIReply.chat(["choices": [choice]], requestID: nil)
                #expect(streamed.text == single.text && streamed.reasoning == single.reasoning)
                #expect(streamed.finishReason == single.finishReason)
                #expect(try RandomReply.calls(streamed) == RandomReply.calls(single))
            }
        }
    }
}

/// Replies and the events that bring them.
struct RandomReply {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Calls with their arguments as JSON, however they are written.
    static func calls(_ reply: ModelReply) throws -> [JSONValue] {
        try (reply.toolCalls?.array ?? []).map { call in
            let arguments = call["function"]?["arguments"]?.string ?? ""
            return [
                "id": call["id"] ?? .null, "name": call["function"]?["name"] ?? .null,
                "arguments": arguments.isEmpty ? .object([]) : try JSONValue.parse(arguments),
            ]
        }
    }

    static func withExactCalls(_ reply: ModelReply) throws -> ModelReply {
        var reply = reply
        reply.toolCalls = .array(try calls(reply))
        return reply
    }

    /// Where events may be cut: where no call has a part of its arguments.
    static func cut(_ events: [ReplyEvent], near wanted: Int) -> Int {
        func pieces(_ events: some Sequence<ReplyEvent>) -> [Int: Int] {
            events.reduce(into: [:]) { if case .arguments(let index, _) = $1 { $0[index, default: 0] += 1 } }
        }
        let all = pieces(events)
        return (wanted...events.count).first { end in pieces(events.prefix(end)).allSatisfy { all[$0.key] == $0.value } } ?? events.count
    }

    /// - Parameter interleaves: whether pieces of the calls arrive in any order.
    mutating func answer(interleaves: Bool) -> (answer: Answer, events: [ReplyEvent]) {
        var reply = ModelReply(model: "said")
        var events: [ReplyEvent] = []
        if Bool.random(using: &random) {
            let pieces = pieces()
            reply.reasoning = pieces.joined()
            events += pieces.map { .reasoning($0) }
        }
        let count = Int.random(in: 0...3, using: &random)
        if count == 0 || Bool.random(using: &random) {
            // Something that is no blank: an answer of blanks that was cut off is none.
            let pieces = ["a"] + pieces()
            reply.text = pieces.joined()
            events += pieces.map { .text($0) }
        }
        if count > 0 {
            let calls = (0..<count).map { call($0) }
            reply.toolCalls = .array(calls.map(\.json))
            events += calls.map { [$0.event] + $0.pieces }.reduce([], +)
            if interleaves { shuffleArguments(in: &events) }
        }
        reply.finishReason = count > 0 ? "tool_calls" : Bool.random(using: &random) ? "stop" : "length"
        reply.usage = Usage(
            inputTokens: 40, outputTokens: .random(in: 1...90, using: &random), cacheReadTokens: .random(in: 0...20, using: &random))
        return (Answer(reply), events)
    }

    private mutating func pieces() -> [String] {
        let words = ["a", "ü", "🙂", "\"", "\\n", "\n", "text ", "e\u{301}", "\u{7F}"]
        return (0...Int.random(in: 0...6, using: &random)).map { _ in
            let word = words.randomElement(using: &random) ?? "a"
            return Int.random(in: 0..<40, using: &random) == 0 ? String(repeating: word, count: 9_000) : word
        }
    }

    private mutating func call(_ index: Int) -> (json: JSONValue, event: ReplyEvent, pieces: [ReplyEvent]) {
        let (id, name) = ("call_\(index)", "tool\(index)")
        let arguments = #"{"q":"\#(["x", "}", "{\\\"", "ß"].randomElement(using: &random) ?? "x")","n":[1,{"m":null}]}"#
        var pieces: [ReplyEvent] = []
        var rest = Substring(arguments)
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...8, using: &random))
            rest = rest.dropFirst(piece.count)
            pieces.append(.arguments(index: index, String(piece)))
        }
        let function: JSONValue = ["name": .string(name), "arguments": .string(arguments)]
        return (
            ["id": .string(id), "type": "function", "function": function], .toolCall(index: index, id: id, name: name), pieces
        )
    }

    /// Moves pieces of different calls past each other, never before their call or past one of their own.
    private mutating func shuffleArguments(in events: inout [ReplyEvent]) {
        for _ in 0..<events.count * 4 {
            let place = Int.random(in: 0..<max(1, events.count - 1), using: &random)
            guard place + 1 < events.count, case .arguments(let one, _) = events[place] else { continue }
            switch events[place + 1] {
            case .arguments(let other, _) where other != one: events.swapAt(place, place + 1)
            case .toolCall: events.swapAt(place, place + 1)
            default: break
            }
        }
    }
}
