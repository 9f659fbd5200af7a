import AgentQueueDialects
import AgentQueueModel
import Testing

@Suite struct MessagesRendererTests {
    private let usage = Usage(inputTokens: 15, outputTokens: 3, cacheReadTokens: 2, cacheWriteTokens: 1)
    private let calls: JSONValue = [["id": "call_1", "type": "function", "function": ["name": "f", "arguments": "{\"q\":\"a\"}"]]]

    private func body(_ answer: Answer) -> String { text(ReplyRenderer.body(of: answer, form: .messages, context: .sample())) }

    @Test func aReplyIsAMessage() {
        let reply = ModelReply(
            text: "Hello", finishReason: "tool_calls", usage: usage, model: "gpt-x", toolCalls: calls, reasoning: "not ours to sign")
        #expect(
            body(Answer(reply))
                == #"{"id":"msg_aq7","type":"message","role":"assistant","model":"gpt-x","content":[{"type":"text","text":"Hello"},"#
                + #"{"type":"tool_use","id":"call_1","name":"f","input":{"q":"a"}}],"stop_reason":"tool_use","stop_sequence":null,"#
                + #""usage":{"input_tokens":12,"cache_creation_input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3,"#
                + #""service_tier":"standard"}}"#)
    }

    @Test(arguments: [
        ("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"), ("pause_turn", "pause_turn"), ("abort", "end_turn"),
    ])
    func theReasonIsOneOfAnthropics(_ given: String, _ said: String) throws {
        let value = try JSONValue.parse(body(Answer(ModelReply(text: "t", finishReason: given))))
        #expect(value["stop_reason"]?.string == said)
    }

    @Test func aRefusalIsNoError() throws {
        let answer = try #require(Answer(.refused, message: "declined to answer", partialText: nil))
        let value = try JSONValue.parse(body(answer))
        #expect(value["stop_reason"] == "refusal")
        #expect(value["stop_details"] == ["type": "refusal", "category": .null, "explanation": "declined to answer"])
    }

    @Test func aStreamHasItsEventsInOrder() throws {
        var stream = try #require(ReplyRenderer.stream(.messages, context: .sample()))
        let bytes =
            stream.render(.begin(model: "m", id: nil, native: nil)) + stream.render(.reasoning("hidden")) + stream.render(.text("Hel"))
            + stream.render(.toolCall(index: 0, id: "call_1", name: "f")) + stream.render(.arguments(index: 0, "{\"q\":\"a\"}"))
        let end = stream.end(Answer(ModelReply(text: "Hel", finishReason: "tool_calls", usage: usage, toolCalls: calls)))
        let start =
            #"{"type":"message_start","message":{"id":"msg_aq7","type":"message","role":"assistant","model":"m","content":[],"#
            + #""stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"#
            + #""cache_read_input_tokens":0,"output_tokens":0,"service_tier":"standard"}}}"#
        let expected = [
            ("message_start", start),
            ("content_block_start", #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
            ("content_block_delta", #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}"#),
            ("content_block_stop", #"{"type":"content_block_stop","index":0}"#),
            (
                "content_block_start",
                #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}}"#
            ),
            (
                "content_block_delta",
                #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"q\":\"a\"}"}}"#
            ),
        ]
        #expect(text(bytes) == expected.map { "event: \($0.0)\ndata: \($0.1)\n\n" }.joined())
        let last = [
            ("content_block_stop", #"{"type":"content_block_stop","index":1}"#),
            (
                "message_delta",
                #"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"#
                    + #""cache_creation_input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}}"#
            ),
            ("message_stop", #"{"type":"message_stop"}"#),
        ]
        #expect(text(end) == last.map { "event: \($0.0)\ndata: \($0.1)\n\n" }.joined())
        #expect(text(stream.ping()) == "event: ping\ndata: {\"type\":\"ping\"}\n\n")
    }

    @Test func aFailureIsAnErrorEvent() throws {
        var stream = try #require(ReplyRenderer.stream(.messages, context: .sample()))
        #expect(
            text(stream.failure(GatewayError(.streamRestarted, "Ask again.")))
                == "event: error\n"
                + #"data: {"type":"error","error":{"type":"api_error","message":"Ask again.","#
                + #""details":{"error_code":"stream_restarted"}},"request_id":"req_1"}"# + "\n\n")
    }

    @Test func theProvidersEventsPassUntouchedAndTheirEndIsHeldBack() throws {
        var stream = try #require(ReplyRenderer.stream(.messages, context: .sample()))
        #expect(stream.render(.begin(model: "m", id: "msg_01", native: .messages)).isEmpty)
        let events = [
            ("message_start", #"{"type": "message_start","message":{"id":"msg_01","usage":{"input_tokens":1.0}}}"#),
            ("content_block_start", #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#),
            ("ping", #"{"type":"ping"}"#), ("error", #"{"type":"error","error":{"type":"overloaded_error","message":"o"}}"#),
            ("message_delta", #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#),
            ("ping", #"{"type":"ping"}"#), ("message_stop", #"{"type":"message_stop"}"#),
        ]
        var out = ""
        for event in events {
            out += text(stream.render(.native(event: event.0, data: event.1)))
            #expect(stream.render(.text("canonical")).isEmpty)
        }
        func written(_ places: [Int]) -> String { places.map { "event: \(events[$0].0)\ndata: \(events[$0].1)\n\n" }.joined() }
        #expect(out == written([0, 1, 2]))
        #expect(text(stream.end(Answer(ModelReply("x")))) == written([4, 6]))
    }

    @Test func aWholeMessageStreamsWithItsThinkingAndCitations() throws {
        let thinking: JSONValue = ["type": "thinking", "thinking": "why", "signature": "c2ln"]
        let redacted: JSONValue = ["type": "redacted_thinking", "data": "x"]
        let citation: JSONValue = ["type": "char_location", "cited_text": "H"]
        let cited: JSONValue = ["type": "text", "text": "Hello", "citations": [citation]]
        let search: JSONValue = ["type": "server_tool_use", "id": "s", "name": "web_search", "input": ["query": "q"]]
        let found: JSONValue = ["type": "web_search_tool_result", "tool_use_id": "s", "content": []]
        let call: JSONValue = ["type": "tool_use", "id": "t", "name": "f", "input": .object([])]
        let message: JSONValue = [
            "id": "msg_01", "type": "message", "role": "assistant", "model": "claude",
            "content": [thinking, redacted, cited, search, found, call], "stop_reason": "stop_sequence", "stop_sequence": "END",
            "container": .null, "usage": ["input_tokens": 4, "output_tokens": 9, "service_tier": "standard"],
        ]
        var reply = ModelReply("Hello")
        reply.native = NativeReply(form: .messages, body: message.text)
        #expect(body(Answer(reply)) == message.text)
        var stream = try #require(ReplyRenderer.stream(.messages, context: .sample()))
        var assembled = AnthropicStream()
        for event in try StreamReading.events(stream.end(Answer(reply))) { _ = try assembled.take(event) }
        #expect(assembled.isComplete && assembled.usage.usage == Usage(inputTokens: 4, outputTokens: 9))
        let (given, read) = (message.members ?? [], assembled.body.members ?? [])
        #expect(
            JSONValue.object(read.filter { $0.key != "usage" }).isEqual(to: .object(given.filter { $0.key != "usage" })),
            "\(assembled.body.text)")
    }
}
