import AgentQueueDialects
import AgentQueueModel
import Testing

@Suite struct ChatReplyRendererTests {
    private let usage = Usage(inputTokens: 5, outputTokens: 2, cacheReadTokens: 1)

    private func body(_ answers: [Answer]) -> String {
        text(ReplyRenderer.body(of: answers, form: .chat, context: .sample()))
    }

    @Test func aReplyIsAChatCompletion() {
        let reply = ModelReply(text: "Hello", finishReason: "stop", usage: usage, model: "gpt-x")
        #expect(
            body([Answer(reply)])
                == #"{"id":"chatcmpl-aq7","object":"chat.completion","created":1795330000,"model":"gpt-x","choices":[{"index":0,"#
                + #""message":{"role":"assistant","content":"Hello","refusal":null,"annotations":[]},"logprobs":null,"#
                + #""finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"#
                + #""prompt_tokens_details":{"cached_tokens":1,"audio_tokens":0}}}"#)
    }

    @Test func aCallHasNoContent() throws {
        let calls: JSONValue = [["id": "toolu_1", "type": "function", "function": ["name": "f", "arguments": "{\"a\":1}"]]]
        let choice = try JSONValue.parse(body([Answer(ModelReply(finishReason: "tool_calls", toolCalls: calls))]))["choices"]?.array?[0]
        #expect(choice?["message"]?["content"] == .null)
        #expect(choice?["message"]?["tool_calls"] == calls)
        #expect(choice?["finish_reason"] == "tool_calls")
    }

    @Test func aRefusalIsNoError() throws {
        let answer = try #require(Answer(.refused, message: "declined to answer", partialText: "I will not."))
        let choice = try JSONValue.parse(body([answer]))["choices"]?.array?[0]
        #expect(choice?["message"]?["refusal"] == "I will not." && choice?["message"]?["content"] == .null)
        #expect(choice?["finish_reason"] == "content_filter")
        #expect(Answer(.timedOut, message: "m", partialText: nil) == nil)
    }

    @Test(arguments: [
        ("stop", "stop"), ("pause_turn", "stop"), ("abort", "stop"), ("length", "length"), ("refusal", "content_filter"),
        ("content_filter", "content_filter"), ("tool_calls", "stop"),
    ])
    func theReasonIsOneThatClientsKnow(_ given: String, _ said: String) throws {
        let choice = try JSONValue.parse(body([Answer(ModelReply(text: "t", finishReason: given))]))["choices"]?.array?[0]
        #expect(choice?["finish_reason"]?.string == said)
    }

    private static let native = #"{"id": "x","choices":[{"index":0,"message":{"content":"A","audio":1.0},"finish_reason":"stop"}]}"#

    @Test func theProvidersOwnCompletionPassesUntouched() {
        var reply = ModelReply("A")
        reply.native = NativeReply(form: .chat, body: Self.native)
        #expect(body([Answer(reply)]) == Self.native)
        reply.native = NativeReply(form: .responses, body: Self.native)
        #expect(body([Answer(reply)]).contains("chatcmpl-aq7"))
    }

    @Test func samplesAreChoicesOfOneAnswer() throws {
        var first = ModelReply("A", usage: usage)
        first.native = NativeReply(form: .chat, body: Self.native)
        let value = try JSONValue.parse(body([Answer(first), Answer(ModelReply("B", usage: usage))]))
        let choices = try #require(value["choices"]?.array)
        #expect(choices.map { $0["index"] } == [0, 1])
        #expect(choices[0]["message"]?["audio"]?.number == 1)
        #expect(choices[1]["message"]?["content"] == "B")
        #expect(value["usage"]?["total_tokens"] == 14)
    }
}
