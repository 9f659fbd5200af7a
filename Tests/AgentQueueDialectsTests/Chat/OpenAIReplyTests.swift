import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct OpenAIReplyTests {
    private let hello =
        #"{"id":"c-1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#

    func chat(_ body: String) throws -> ModelReply { try OpenAIReply.chat(JSONValue.parse(body), requestID: nil) }

    func vectors(_ data: String, count: Int, dimensions: Int? = nil) throws -> [[Float]] {
        let body = try JSONValue.parse(#"{"data":\#(data)}"#)
        return try #require(try OpenAIReply.embeddings(body, count: count, dimensions: dimensions, requestID: nil).embeddings)
    }

    @Test func aChatIsRead() throws {
        let reply = try chat(hello)
        #expect(
            reply
                == ModelReply(
                    text: "Hello", finishReason: "stop", usage: Usage(inputTokens: 5, outputTokens: 2), model: "m-1", requestID: "c-1"))
    }

    @Test func almostEverythingMayBeMissing() throws {
        #expect(try chat(#"{"choices":[{"message":{"content":"x"}}]}"#) == ModelReply(text: "x"))
        #expect(try chat(#"{"choices":[{"text":"old style"}],"usage":null}"#) == ModelReply(text: "old style"))
        #expect(
            try chat(#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#) == ModelReply(text: "", finishReason: "stop"))
    }

    @Test(arguments: [
        #""reasoning_content":"hm""#, #""reasoning":"hm""#, #""reasoning_content":null,"reasoning":"hm""#,
        #""reasoning_content":"hm","reasoning":"hm""#,
    ])
    func thinkingIsKeptApart(members: String) throws {
        let reply = try chat(#"{"choices":[{"message":{"content":"x",\#(members)},"finish_reason":"stop"}]}"#)
        #expect(reply.text == "x")
        #expect(reply.reasoning == "hm")
    }

    @Test func contentMayBeParts() throws {
        #expect(try chat(#"{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#).text == "ab")
    }

    @Test func unknownEndsAreKeptAndNotComplete() throws {
        let reply = try chat(#"{"choices":[{"message":{"content":"x"},"finish_reason":"abort"}]}"#)
        #expect(reply.finishReason == "abort")
        #expect(!reply.isComplete)
        #expect(try chat(#"{"choices":[{"message":{"content":"x"},"finish_reason":null}]}"#).isComplete == false)
    }

    @Test(arguments: [#""""#, #""null""#, #""None""#, "null"]) func whatIsNoReasonIsNone(reason: String) throws {
        let reply = try chat(#"{"choices":[{"message":{"content":"x"},"finish_reason":\#(reason)}]}"#)
        #expect(reply.finishReason == nil)
        #expect(!reply.isComplete)
    }

    @Test(
        arguments: [
            (#"{"content":null,"reasoning":"hm"}"#, "null", "spent all its output tokens on reasoning"),
            (
                #"{"content":""}"#, #"{"completion_tokens":100,"completion_tokens_details":{"reasoning_tokens":100}}"#,
                "spent all 100 output tokens on reasoning"
            ),
            (#"{"content":" \n"}"#, #"{"completion_tokens":16}"#, "used all 16 output tokens"),
            (#"{"content":[]}"#, "{}", "used all its output tokens"),
        ])
    func anAnswerCutBeforeAnyTextIsInvalid(message: String, usage: String, words: String) throws {
        let failure = try #require(try failure(#"{"choices":[{"message":\#(message),"finish_reason":"length"}],"usage":\#(usage)}"#))
        #expect(failure.failure == .invalidReply && failure.isCutOff && failure.calls == 1)
        #expect(failure.message == "\(words) and wrote no text: raise max_tokens")
    }

    @Test func anAnswerCutAfterSomeTextIsOne() throws {
        #expect(try chat(#"{"choices":[{"message":{"content":"He"},"finish_reason":"length"}]}"#).text == "He")
        let calls = #"{"content":null,"tool_calls":[{"id":"1"}]}"#
        #expect(try chat(#"{"choices":[{"message":\#(calls),"finish_reason":"length"}]}"#).toolCalls != nil)
    }

    @Test func toolCallsAreKeptVerbatim() throws {
        let calls = #"[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"},"extra":[1.5]}]"#
        let reply = try chat(#"{"choices":[{"message":{"content":null,"tool_calls":\#(calls)},"finish_reason":null}]}"#)
        #expect(reply.toolCalls?.text == calls)
        #expect(reply.text == nil)
        #expect(reply.finishReason == "tool_calls")
        let old = try chat(#"{"choices":[{"message":{"content":null,"function_call":{"name":"f"}},"finish_reason":"function_call"}]}"#)
        #expect(old.toolCalls?.text == #"[{"type":"function","function":{"name":"f"}}]"#)
        #expect(old.finishReason == "tool_calls")
    }

    func failure(_ body: String) throws -> ModelFailure? {
        let value = try JSONValue.parse(body)
        do throws(ModelFailure) {
            _ = try OpenAIReply.chat(value, requestID: "r")
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            (#"{"message":{"content":null,"refusal":"I will not"},"finish_reason":"content_filter"}"#, "I will not"),
            (#"{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}"#, "I will not"),
            (#"{"message":{"content":""},"finish_reason":"content_filter"}"#, nil),
        ] as [(String, String?)])
    func aRefusalIsOneAndWasCharged(choice: String, words: String?) throws {
        let failure = try #require(try failure(#"{"choices":[\#(choice)],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#))
        #expect(failure.failure == .refused)
        #expect(failure.partialText == words)
        #expect(!failure.message.contains("I will not"))
        #expect(failure.usage == Usage(inputTokens: 5, outputTokens: 2))
        #expect(failure.calls == 1)
        #expect(failure.requestID == "r")
    }

    @Test func aFilteredAnswerWithTextIsAnAnswer() throws {
        let reply = try chat(#"{"choices":[{"message":{"content":"so far"},"finish_reason":"content_filter"}]}"#)
        #expect(reply.text == "so far")
        #expect(!reply.isComplete)
    }

    @Test(arguments: [#"{}"#, #"{"choices":[]}"#, #"{"choices":null}"#, #"{"choices":[null]}"#, #"{"choices":[{}]}"#, "[]", #""x""#])
    func anAnswerWithoutAChoiceIsNone(body: String) {
        let failure = try? failure(body)
        #expect(failure?.failure == .invalidReply)
        #expect(failure?.calls == 1)
    }

    @Test func embeddingsComeInTheInputsOrder() throws {
        #expect(try vectors(#"[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2.5]}]"#, count: 2) == [[1, 2.5], [3, 4]])
        #expect(try vectors(#"[{"embedding":[1]},{"embedding":[2]}]"#, count: 2) == [[1], [2]])
        #expect(try vectors(#"[{"embedding":[[1,2]]}]"#, count: 1) == [[1, 2]])
        #expect(try vectors(#"[{"index":0,"embedding":"AACAPwAAAMA="}]"#, count: 1) == [[1, -2]])
        let bare = try JSONValue.parse(#"[{"index":0,"embedding":[[1,2]]}]"#)
        #expect(try OpenAIReply.embeddings(bare, count: 1, dimensions: nil, requestID: nil).embeddings == [[1, 2]])
    }

    @Test(arguments: [
        (#"[]"#, 1), (#"[{"embedding":[1]}]"#, 2), (#"[{"embedding":[1]},{"embedding":[1]}]"#, 1), (#"[{"embedding":[]}]"#, 1),
        (#"[{"embedding":[1e39]}]"#, 1), (#"[{"embedding":[null]}]"#, 1), (#"[{"embedding":null}]"#, 1), (#"[{}]"#, 1),
        (#"[{"embedding":[[1],[2]]}]"#, 1), (#"[{"embedding":"AACAPw=A"}]"#, 1), (#"[{"embedding":"AAA="}]"#, 1),
        (#"[{"embedding":"AADAfw=="}]"#, 1), (#"[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]"#, 2),
        (#"[{"index":5,"embedding":[1]}]"#, 1), (#"[{"embedding":[1]},{"embedding":[1,2]}]"#, 2),
    ])
    func embeddingsThatDoNotFitAreInvalid(data: String, count: Int) {
        do {
            _ = try vectors(data, count: count)
            Issue.record("read \(data)")
        } catch let failure as ModelFailure {
            #expect(failure.failure == .invalidReply)
        } catch {
            Issue.record(error)
        }
    }

    @Test func theLengthAskedForIsHeldTo() {
        #expect(throws: ModelFailure.self) { try vectors(#"[{"embedding":[1,2]}]"#, count: 1, dimensions: 3) }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 256]) func base64GoesBothWays(count: Int) {
        let bytes = (0..<count).map { UInt8($0 * 7 & 255) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
}
