import AgentQueueDialects
import AgentQueueModel
import Testing

@Suite struct ChatStreamRendererTests {
    private func stream(includesUsage: Bool = false, samples: Int = 1) throws -> any StreamRenderer {
        var context = ReplyContext.sample(includesUsage: includesUsage)
        context.samples = samples
        return try #require(ReplyRenderer.stream(.chat, context: context))
    }

    private let answer = Answer(ModelReply(text: "Hel", finishReason: "stop", usage: Usage(inputTokens: 5, outputTokens: 2), model: "m"))
    private let base = #"data: {"id":"chatcmpl-aq7","object":"chat.completion.chunk","created":1795330000,"model":"m","choices":["#

    @Test func theEndIsHeldBack() throws {
        var stream = try stream()
        let role = #"{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}"#
        #expect(text(stream.render(.begin(model: "m", id: nil, native: nil))) == base + role + "\n\n")
        let piece = #"{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}]}"#
        #expect(text(stream.render(.text("Hel"))) == base + piece + "\n\n")
        #expect(stream.render(.usage(Usage(inputTokens: 5))).isEmpty && stream.render(.finish("stop")).isEmpty)
        let end = #"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#
        #expect(text(stream.end(answer)) == base + end + "\n\ndata: [DONE]\n\n")
        #expect(stream.end(answer).isEmpty)
    }

    @Test func tokensAreToldToThoseThatAsked() throws {
        var stream = try stream(includesUsage: true)
        let bytes = stream.render(.begin(model: "m", id: nil, native: nil)) + stream.end(answer)
        let chunks = try StreamReading.values(bytes)
        #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
        #expect(chunks.last?["choices"] == [] && chunks.last?["usage"]?["total_tokens"] == 7)
    }

    @Test func callsHaveTheirPlaceAndNotTheProvidersIndex() throws {
        var stream = try stream()
        let bytes =
            stream.render(.toolCall(index: 3, id: "c", name: "f")) + stream.render(.arguments(index: 3, "{}"))
            + stream.render(.arguments(index: 9, "lost"))
        let deltas = try StreamReading.values(bytes).compactMap { $0["choices"]?.array?.first?["delta"]?["tool_calls"]?.array?.first }
        let begin: JSONValue = ["index": 0, "id": "c", "type": "function", "function": ["name": "f", "arguments": ""]]
        let piece: JSONValue = ["index": 0, "function": ["arguments": "{}"]]
        #expect(deltas == [begin, piece])
    }

    @Test func aFailureEndsTheStreamWithoutDone() throws {
        var stream = try stream()
        #expect(
            text(stream.failure(GatewayError(.upstream, "boom")))
                == #"data: {"error":{"message":"boom","type":"server_error","param":null,"code":"upstream_error"}}"# + "\n\n")
        #expect(text(stream.ping()) == ": ping\n")
        #expect(try StreamReading.values(stream.ping(asChunk: true)).first?["choices"]?.array?.first?["delta"] == JSONValue.object([]))
    }

    // MARK: - The provider's own chunks

    private let natives = [
        #"{"id":"v","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}],"created": 1.50}"#,
        #"{"id":"v","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        #"{"id":"v","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#,
        "[DONE]",
    ]

    private func pass(_ natives: [String], to stream: inout any StreamRenderer) -> [String] {
        _ = stream.render(.begin(model: "m", id: "v", native: .chat))
        return natives.map { data in
            let bytes = stream.render(.native(event: nil, data: data))
            // Its canonical events follow, for viewers of other forms.
            return text(bytes + stream.render(.text("Hel")))
        }
    }

    @Test func theProvidersChunksPassUntouched() throws {
        var stream = try stream(includesUsage: true)
        let passed = pass(natives, to: &stream)
        #expect(passed == ["data: \(natives[0])\n\n", "", "", ""])
        #expect(text(stream.end(answer)) == "data: \(natives[1])\n\ndata: \(natives[2])\n\ndata: [DONE]\n\n")
    }

    @Test func theProvidersCountIsKeptFromAClientThatDidNotAsk() throws {
        var stream = try stream()
        _ = pass(natives, to: &stream)
        #expect(text(stream.end(answer)) == "data: \(natives[1])\n\ndata: [DONE]\n\n")
    }

    @Test func whatIsNoChunkOrFollowsTheEndIsLeftOut() throws {
        var stream = try stream(includesUsage: true)
        _ = pass(natives + ["[1]", natives[0], natives[1]], to: &stream)
        #expect(text(stream.end(answer)) == "data: \(natives[1])\n\ndata: \(natives[2])\n\ndata: [DONE]\n\n")
        var other = try self.stream()
        #expect(pass(["[1]", "null", "7"], to: &other) == ["", "", ""])
    }

    @Test func aProvidersErrorIsNotShownSinceTheQueueMayAskAgain() throws {
        var stream = try stream()
        #expect(pass([natives[0], #"{"error":{"message":"overloaded"}}"#], to: &stream).last == "")
    }

    @Test func whatAProviderLeavesOutOfItsEndIsAdded() throws {
        var stream = try stream(includesUsage: true)
        _ = pass([natives[0]], to: &stream)
        let end = try StreamReading.values(stream.end(answer))
        #expect(end.first?["choices"]?.array?.first?["finish_reason"] == "stop")
        #expect(end.last?["usage"]?["total_tokens"] == 7)
    }

    @Test func theChunksOfASampleBearItsIndex() throws {
        var stream = try stream(samples: 2)
        _ = stream.render(.begin(model: "m", id: "v", native: .chat), sample: 1)
        let chunk = try StreamReading.values(stream.render(.native(event: nil, data: natives[0]), sample: 1))[0]
        #expect(chunk["id"] == "chatcmpl-aq7" && chunk["choices"]?.array?.first?["index"] == 1)
        #expect(stream.end(answer, sample: 1).isEmpty == false)
        #expect(text(stream.end(answer, sample: 0)).hasSuffix("data: [DONE]\n\n"))
    }

    @Test func aWholeCompletionKeepsWhatChunksCanSay() throws {
        let calls: JSONValue = [
            ["id": "c", "type": "function", "function": ["name": "f", "arguments": "{}"]],
            ["id": "d", "type": "custom", "custom": ["name": "g", "input": "free"]],
        ]
        let message: JSONValue = [
            "role": "assistant", "content": .null, "reasoning_content": "why", "annotations": [["type": "url_citation"]],
            "tool_calls": calls,
        ]
        let logprobs: JSONValue = ["content": [["token": "a"]]]
        let choice: JSONValue = ["index": 0, "finish_reason": "tool_calls", "logprobs": logprobs, "message": message]
        let usage: JSONValue = ["prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3]
        let body: JSONValue = [
            "id": "v", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "fp", "choices": [choice],
            "usage": usage,
        ]
        var reply = ModelReply(text: nil, finishReason: "tool_calls")
        reply.native = NativeReply(form: .chat, body: body.text)
        var stream = try stream(includesUsage: true)
        let chunks = try StreamReading.values(stream.end(Answer(reply)))
        #expect(chunks.allSatisfy { $0["id"] == "v" && $0["system_fingerprint"] == "fp" && $0["object"] == "chat.completion.chunk" })
        let first = chunks[0]["choices"]?.array?.first
        #expect(first?["delta"]?["annotations"] != nil && first?["logprobs"]?["content"] != nil)
        #expect(chunks.last?["usage"]?["total_tokens"] == 3)
        var assembled = ChatStream()
        for chunk in chunks { _ = assembled.take(ServerSentEvent(name: nil, data: chunk.text)) }
        let read = assembled.body?["choices"]?.array?.first?["message"]
        #expect(read?["tool_calls"] == calls)
        #expect(read?["reasoning"] == "why")
    }
}
