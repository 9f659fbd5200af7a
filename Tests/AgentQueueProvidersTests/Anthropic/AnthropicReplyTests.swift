import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct AnthropicReplyTests {
    func read(_ body: String) throws -> ModelReply { try AnthropicReply.message(try JSONValue.parse(body), requestID: "req_1") }

    @Test func aWholeMessage() throws {
        let reply = try read(AnthropicSample.hello)
        #expect(
            reply
                == ModelReply(
                    text: "Hello", finishReason: "stop",
                    usage: Usage(inputTokens: 1_112, outputTokens: 3, cacheReadTokens: 1_000, cacheWriteTokens: 100),
                    model: "claude-sonnet-5", requestID: "req_1"))
        #expect(reply.isComplete)
    }

    @Test func blocksOfAllKinds() throws {
        let reply = try read(
            #"{"content":[{"type":"thinking","thinking":"a","signature":"s"},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"b","#
                + #""citations":[]},{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"thinking","thinking":"c"},"#
                + #"{"type":"text","text":"d"},{"type":"tool_use","id":"t","name":"f","input":{"b":1,"a":[2]}}],"stop_reason":"tool_use"}"#)
        #expect(reply.text == "bd")
        #expect(reply.reasoning == "ac")
        #expect(reply.toolCalls?.text == #"[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":[2]}"}}]"#)
        #expect(reply.finishReason == "tool_calls")
        #expect(reply.usage == Usage())
        #expect(reply.isComplete)
    }

    @Test(arguments: [
        ("end_turn", "stop", true), ("stop_sequence", "stop", true), ("tool_use", "tool_calls", true), ("max_tokens", "length", false),
        ("model_context_window_exceeded", "length", false), ("pause_turn", "pause_turn", false), ("of_tomorrow", "of_tomorrow", false),
    ])
    func reasonsAreTranslated(given: String, expected: String, isComplete: Bool) throws {
        let reply = try read(#"{"content":[{"type":"text","text":"x"}],"stop_reason":"\#(given)"}"#)
        #expect(reply.finishReason == expected)
        #expect(reply.isComplete == isComplete)
    }

    @Test(arguments: [
        (#"{"content":[]}"#, ""), (#"{"content":null,"stop_reason":null,"usage":null}"#, ""), (#"{"content":"x"}"#, "x"),
        (#"{"content":[{"type":"text"}],"usage":{"input_tokens":-5,"output_tokens":"x"}}"#, ""),
    ])
    func oddShapesAreTolerated(body: String, text: String) throws {
        let reply = try read(body)
        #expect(reply.text == text)
        #expect(reply.usage == Usage())
        #expect(!reply.isComplete)
    }

    @Test func aRefusalIsAFailureThatWasPaid() throws {
        let failure = try #require(throws: ModelFailure.self) {
            try read(
                #"{"content":[{"type":"text","text":"I "}],"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","#
                    + #""explanation":"not this"},"usage":{"input_tokens":5,"output_tokens":2}}"#)
        }
        #expect(
            failure
                == ModelFailure(
                    .refused, "declined to answer (bio): not this", requestID: "req_1", usage: Usage(inputTokens: 5, outputTokens: 2),
                    calls: 1, partialText: "I "))
    }

    @Test(arguments: [#"{"usage":{"input_tokens":5}}"#, #"{"content":7}"#, "[]", #"{"content":[{"type":"tool_use","input":"{"}]}"#])
    func whatHoldsNoMessageIsInvalid(body: String) throws {
        let failure = try #require(throws: ModelFailure.self) { try read(body) }
        #expect(failure.failure == .invalidReply)
        #expect(failure.calls == 1)
    }

    /// All tokens went into thinking, or into nothing. Warming the prompt cache asks for no tokens, and gets none.
    @Test func anAnswerCutBeforeAnyTextIsInvalid() throws {
        let thinking = #"[{"type":"thinking","thinking":"Hm","signature":""},{"type":"text","text":" \n"}]"#
        for (content, words) in [(thinking, "spent all 9 output tokens on reasoning"), ("[]", "used all 9 output tokens")] {
            for reason in ["max_tokens", "model_context_window_exceeded"] {
                let failure = try #require(throws: ModelFailure.self) {
                    try read(#"{"content":\#(content),"stop_reason":"\#(reason)","usage":{"input_tokens":5,"output_tokens":9}}"#)
                }
                #expect(failure.failure == .invalidReply && failure.isCutOff && failure.calls == 1)
                #expect(failure.message == "\(words) and wrote no text: raise max_tokens")
                #expect(failure.usage == Usage(inputTokens: 5, outputTokens: 9))
            }
        }
        #expect(try read(#"{"content":[],"stop_reason":"max_tokens","usage":{"input_tokens":5,"output_tokens":0}}"#).text == "")
    }

    @Test func countsMayHaveFractionsAndAbsurdOnesAreMissing() throws {
        let usage =
            #"{"input_tokens":5.25,"output_tokens":1e300,"cache_read_input_tokens":-3,"cache_creation_input_tokens":18446744073709551615}"#
        #expect(try read(#"{"content":"x","usage":\#(usage)}"#).usage == Usage(inputTokens: 5))
    }

    @Test func aCutOffCallKeepsItsBeginning() throws {
        let reply = try read(#"{"content":[{"type":"tool_use","id":"1","name":"f","input":"{\"a"}],"stop_reason":"max_tokens"}"#)
        #expect(reply.toolCalls?.array?[0]["function"]?["arguments"] == #"{"a"#)
        #expect(reply.finishReason == "length")
    }
}
