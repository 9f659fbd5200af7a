import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct AnthropicStreamTests {
    func stream(_ events: some Sequence<(name: String, data: String)>) throws -> (stream: AnthropicStream, pieces: [String]) {
        var stream = AnthropicStream()
        var pieces: [String] = []
        for event in events {
            let piece = try stream.take(ServerSentEvent(name: event.name, data: event.data)).text
            if !piece.isEmpty { pieces.append(piece) }
        }
        return (stream, pieces)
    }

    @Test func allEventsTogetherAreAMessage() throws {
        let (stream, pieces) = try stream(AnthropicSample.events)
        #expect(stream.isComplete)
        #expect(pieces == ["Hello, ", "wörld"])
        #expect(stream.text == "Hello, wörld")
        #expect(try AnthropicReply.message(stream.body, usage: stream.usage.usage, requestID: nil) == AnthropicSample.reply)
        #expect(
            stream.body["content"]?.text
                == #"[{"type":"thinking","thinking":"Let me think.","signature":"c2ln"},{"type":"text","text":"Hello, wörld","citations":"#
                + #"[{"cited_text":"c"}]},{"type":"tool_use","id":"toolu_1","name":"get_x","input":{"q":"ab"}}]"#)
    }

    @Test func noBeginningOfAStreamIsAMessage() throws {
        for count in 0..<AnthropicSample.events.count {
            let (stream, _) = try stream(AnthropicSample.events.prefix(count))
            #expect(!stream.isComplete, "\(count) events")
            #expect(stream.hasBegun == (count > 0))
        }
    }

    @Test func usageIsCumulative() throws {
        let delta = #"{"type":"message_delta","delta":{},"usage":{"output_tokens":7,"cache_creation_input_tokens":9,"input_tokens":0}}"#
        let (stream, _) = try stream([AnthropicSample.events[0], ("message_delta", delta), AnthropicSample.events[19]])
        #expect(stream.usage.usage == Usage(inputTokens: 51, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 9))
    }

    @Test func anErrorEndsIt() throws {
        let error = #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#
        let (stream, pieces) = try stream(
            Array(AnthropicSample.events[..<9]) + [(name: "error", data: error)] + Array(AnthropicSample.events[9...]))
        #expect(stream.error == OpenAIError(message: "Overloaded", type: "overloaded_error"))
        #expect(!stream.isComplete && stream.isOver)
        #expect(pieces == ["Hello, "])
    }

    /// Half an emoji in each of two events, in each kind of text; and numbers and keys that are not quite JSON.
    @Test func whatIsNotQuiteJSONIsRead() throws {
        func delta(_ members: String, _ index: Int = 0) -> (name: String, data: String) {
            ("content_block_delta", #"{"type":"content_block_delta","index":\#(index),"delta":{\#(members)}}"#)
        }
        let start = #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#
        let (stream, pieces) = try stream([
            AnthropicSample.events[0], delta(#""type":"text_delta","text":"Well \ud83d""#), ("ping", "keep-alive"),
            delta(#""type":"text_delta","text":"\ude00 done","logprob":-Infinity,"type":"text_delta""#), ("content_block_start", start),
            delta(#""type":"input_json_delta","partial_json":"{\"q\": \"\ud83d""#, 1),
            delta(#""type":"input_json_delta","partial_json":"\ude00\", \"n\": NaN}""#, 1),
            AnthropicSample.events[19], AnthropicSample.events[20],
        ])
        #expect(pieces == ["Well ", "😀 done"])
        #expect(stream.text == "Well 😀 done")
        #expect(
            stream.body["content"]?.text
                == #"[{"type":"text","text":"Well 😀 done"},{"type":"tool_use","id":"t","name":"f","input":{"q":"😀","n":null}}]"#)
    }

    @Test func localServersMayLeaveTheNamesOut() throws {
        var stream = AnthropicStream()
        for event in AnthropicSample.events where event.name != "brand_new_event" {
            _ = try stream.take(ServerSentEvent(name: nil, data: event.data))
        }
        #expect(stream.isComplete)
        var other = AnthropicStream()
        _ = try other.take(
            ServerSentEvent(name: nil, data: #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#))
        #expect(other.error?.type == "unavailable_error")
    }

    @Test(arguments: [
        [("message_start", "{")], [("content_block_delta", "nonsense")], [("message_stop", #"{"type":"message_stop"}"#)],
        [AnthropicSample.events[0], AnthropicSample.events[20]],
    ])
    func whatMakesNoSenseIsMalformed(events: [(name: String, data: String)]) throws {
        #expect(throws: AnthropicStream.Malformed.self) { try stream(events) }
    }

    @Test func deltasWithoutABlockMakeOne() throws {
        let (stream, pieces) = try stream([AnthropicSample.events[0], AnthropicSample.events[8]])
        #expect(pieces == ["Hello, "])
        #expect(stream.body["content"]?.text == #"[{"type":"text","text":"Hello, "}]"#)
    }
}

@Suite(.timeLimit(.minutes(1))) struct AnthropicStreamReaderTests {
    @Test(arguments: [1, 2, 3, 7, 64, 1_000, 100_000]) func whereTheBytesAreCutMakesNoDifference(size: Int) async throws {
        let told = Recorder<String>()
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onEvent: { if case .text(let text) = $0 { told.add(text) } })
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        for start in stride(from: 0, to: bytes.count, by: size) { reader.take(Array(bytes[start..<min(start + size, bytes.count)])) }
        try await within(.seconds(10), "it is over") { await reader.waitUntilOver() }
        let (head, stream, problem) = reader.finish()
        #expect(head == nil && problem == nil)
        #expect(stream.isComplete)
        #expect(try AnthropicReply.message(stream.body, usage: stream.usage.usage, requestID: nil) == AnthropicSample.reply)
        #expect(told.all == ["Hello, ", "wörld"])
        #expect(begun.count == 1)
    }

    /// Cut at every byte: a beginning is never an answer, and never misread.
    @Test func noBeginningIsAnAnswer() throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        // The last line feed is the blank line's, the one before it the data's: either may be missing.
        for count in 0..<bytes.count - 2 {
            let reader = AnthropicStreamReader(onBegin: {}, onEvent: nil)
            reader.take(Array(bytes.prefix(count)))
            let (_, stream, problem) = reader.finish()
            #expect(!stream.isComplete, "\(count) bytes")
            #expect(problem == nil, "\(count) bytes")
        }
    }

    @Test func itBeginsOnceAndNotWithAPing() {
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onEvent: nil)
        reader.take(AnthropicSample.wire([AnthropicSample.events[1]]))
        reader.take(Array(": comment\n\n".utf8))
        #expect(begun.count == 0)
        reader.take(AnthropicSample.wire([AnthropicSample.events[0]]))
        reader.take(AnthropicSample.wire(AnthropicSample.events[7..<9]))
        #expect(begun.count == 1)
    }

    @Test func anErrorIsNoBeginning() {
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onEvent: nil)
        reader.take(AnthropicSample.wire([(name: "error", data: #"{"type":"error","error":{"type":"overloaded_error"}}"#)]))
        #expect(begun.count == 0)
        #expect(reader.finish().stream.error?.type == "overloaded_error")
    }
}
