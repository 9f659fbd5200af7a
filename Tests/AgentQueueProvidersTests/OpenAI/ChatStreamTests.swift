import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct ChatStreamTests {
    /// The text of a stream of these chunks.
    static func stream(_ chunks: [String]) -> String { chunks.map { "data: \($0)\n\n" }.joined() }

    static func choice(_ delta: String, _ reason: String = "null") -> String {
        #"{"id":"c-1","model":"m-1","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}],"usage":null}"#
    }

    /// Hello, as OpenAI sends it.
    static let hello = [
        choice(#"{"role":"assistant","content":"","refusal":null}"#), choice(#"{"content":"Hel"}"#), choice(#"{"content":"lo"}"#),
        choice("{}", #""stop""#), #"{"id":"c-1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#,
        "[DONE]",
    ]

    func assembled(bytes: [[UInt8]]) throws -> ChatStream {
        var parser = ServerSentEventParser()
        var stream = ChatStream()
        for piece in bytes {
            for event in try parser.feed(piece) { _ = stream.take(event) }
        }
        for event in parser.finish() { _ = stream.take(event) }
        return stream
    }

    func assembled(_ chunks: [String]) throws -> ChatStream { try assembled(bytes: [Array(Self.stream(chunks).utf8)]) }

    func reply(_ chunks: [String]) throws -> ModelReply {
        let body = try #require(try assembled(chunks).body)
        return try OpenAIReply.chat(body, requestID: nil)
    }

    static let helloReply = ModelReply(
        text: "Hello", finishReason: "stop", usage: Usage(inputTokens: 5, outputTokens: 2), model: "m-1", requestID: "c-1")

    @Test func aStreamIsTheAnswerThatItCarries() throws {
        #expect(try reply(Self.hello) == Self.helloReply)
    }

    @Test func itMayBeCutAnywhere() throws {
        let bytes = Array((": hi\r\n\r\n" + Self.stream(Self.hello)).utf8)
        for cut in 0...bytes.count {
            let stream = try assembled(bytes: [Array(bytes[..<cut]), Array(bytes[cut...])])
            let body = try #require(stream.body)
            #expect(try OpenAIReply.chat(body, requestID: nil) == Self.helloReply, "cut at \(cut)")
        }
    }

    /// However early it ends, it is the whole answer or none.
    @Test func whatEndsEarlyIsNoAnswer() throws {
        let text = Self.stream(Array(Self.hello.prefix(4)))
        let finish = try #require(text.firstRange(of: #""stop""#)).lowerBound
        let bytes = Array(text.utf8)
        let end = text.utf8.distance(from: text.startIndex, to: finish)
        for count in 0..<end {
            #expect(try assembled(bytes: [Array(bytes[..<count])]).body == nil, "\(count) bytes")
        }
        #expect(try assembled(bytes: [bytes]).body != nil)
    }

    @Test func theEndMarkMayBeMissingAndSoMayTheReason() throws {
        #expect(try reply(Array(Self.hello.dropLast())) == Self.helloReply)
        let reply = try reply([Self.choice(#"{"content":"Hi"}"#), "[DONE]"])
        #expect(reply.text == "Hi")
        #expect(!reply.isComplete)
        #expect(try assembled([Self.choice(#"{"content":"Hi"}"#)]).body == nil)
        #expect(try assembled([String]()).body == nil)
        #expect(try assembled([Self.choice(#"{"role":"assistant","content":""}"#), "[DONE]"]).body == nil)
    }

    @Test func toolCallsArePutTogether() throws {
        let reply = try reply([
            Self.choice(#"{"role":"assistant","content":null}"#),
            Self.choice(#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#),
            Self.choice(#"{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}"#),
            Self.choice(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}"#),
            Self.choice(#"{"tool_calls":[{"index":0,"function":{"arguments":" 1}"}}]}"#), Self.choice("{}", #""tool_calls""#),
        ])
        #expect(
            reply.toolCalls?.text
                == #"[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},"#
                + #"{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]"#)
        #expect(reply.finishReason == "tool_calls")
        #expect(reply.text == nil)
    }

    @Test func toolCallsWithoutIndexesArePutTogetherToo() throws {
        let reply = try reply([
            Self.choice(#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g"}}]}"#),
            Self.choice(#"{"tool_calls":[{"function":{"arguments":{"x":1}}}]}"#), Self.choice("{}", #""stop""#),
        ])
        #expect(
            reply.toolCalls?.text
                == #"[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},"#
                + #"{"id":"b","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]"#)
    }

    @Test func theOldFunctionCallIsPutTogether() throws {
        let reply = try reply([
            Self.choice(#"{"function_call":{"name":"f","arguments":""}}"#), Self.choice(#"{"function_call":{"arguments":"{}"}}"#),
            Self.choice("{}", #""function_call""#),
        ])
        #expect(reply.toolCalls?.text == #"[{"type":"function","function":{"name":"f","arguments":"{}"}}]"#)
        #expect(reply.finishReason == "tool_calls")
    }

    @Test(arguments: ["reasoning_content", "reasoning"]) func thinkingIsKeptApart(name: String) throws {
        let reply = try reply([
            Self.choice(#"{"\#(name)":"Hm, "}"#), Self.choice(#"{"\#(name)":"yes","content":null}"#),
            Self.choice(#"{"content":"4"}"#, #""stop""#),
        ])
        #expect(reply.reasoning == "Hm, yes")
        #expect(reply.text == "4")
    }

    @Test func aRefusalIsPutTogether() throws {
        let chunks = [Self.choice(#"{"refusal":"I "}"#), Self.choice(#"{"refusal":"won't"}"#), Self.choice("{}", #""stop""#)]
        let body = try #require(try assembled(chunks).body)
        #expect(throws: ModelFailure(.refused, "declined to answer", calls: 1, partialText: "I won't")) {
            try OpenAIReply.chat(body, requestID: nil)
        }
    }

    @Test func oddChunksAreTolerated() throws {
        let reply = try reply([
            "nonsense", "{}", "[]", "null", #"{"choices":[]}"#, #"{"choices":[null]}"#,
            #"{"choices":[{"index":1,"delta":{"content":"no"}}]}"#,
            #"{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}"#, #"{"choices":[{"text":"b"}]}"#,
            #"{"choices":[{"message":{"content":"c"},"finish_reason":"abort"}]}"#, #"{"choices":[],"usage":{"prompt_tokens":3}}"#,
        ])
        #expect(reply.text == "abc")
        #expect(reply.finishReason == "abort")
        #expect(!reply.isComplete)
        #expect(reply.usage.inputTokens == 3)
    }

    @Test(arguments: [
        #"{"error":{"message":"boom","type":"server_error","param":null,"code":null}}"#, #"{"error":"boom"}"#,
        #"{"object":"error","message":"boom","code":500}"#,
        #"{"error":{"message":"boom"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
    ])
    func anErrorTakesTheAnswersPlace(chunk: String) throws {
        let stream = try assembled([Self.choice(#"{"content":"Hel"}"#), chunk, Self.choice(#"{"content":"x"}"#, #""stop""#), "[DONE]"])
        #expect(stream.body.flatMap { OpenAIError(body: $0) }?.message == "boom")
        #expect(stream.body?["choices"] == nil)
        #expect(stream.text == "Hel")
    }

    /// Damaged streams of any kind are read without harm, and make the same answer however they are cut.
    @Test func damageDoesNoHarm() throws {
        var random = SystemRandomNumberGenerator()
        let good = Array((Self.stream(Self.hello) + ResponsesTests.stream).utf8)
        for _ in 0..<500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let whole = try assembled(bytes: [bytes])
            #expect(try assembled(bytes: [Array(bytes[..<cut]), Array(bytes[cut...])]).body == whole.body, "\(bytes)")
            #expect(try assembled(bytes: bytes.map { [$0] }).text == whole.text, "\(bytes)")
        }
    }
}
