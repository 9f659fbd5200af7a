import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct ResponsesTests {
    static let response =
        #"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"m-1","#
        + #""output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Hm"}]},"#
        + #"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]}],"#
        + #""usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":3},"output_tokens":2,"total_tokens":7}}"#

    static let stream = [
        ("response.created", #"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#),
        ("response.output_text.delta", #"{"type":"response.output_text.delta","delta":"Hel","output_index":0}"#),
        ("response.output_text.delta", #"{"type":"response.output_text.delta","delta":"lo","output_index":0}"#),
        ("response.output_text.done", #"{"type":"response.output_text.done","text":"Hello"}"#),
        ("response.completed", #"{"type":"response.completed","response":\#(response)}"#),
    ].map { "event: \($0.0)\ndata: \($0.1)\n\n" }.joined()

    func body(_ request: JSONValue, streams: Bool = false) throws(ModelFailure) -> String {
        try ResponsesRequest(ChatRequest(ModelRequest(kind: .generate, target: chat.target, body: request))).body(streams: streams).text
    }

    func reply(_ body: String) throws -> ModelReply {
        try OpenAIReply.chat(ResponsesReply.chat(try JSONValue.parse(body)), requestID: nil)
    }

    @Test func messagesBecomeInstructionsAndItems() throws {
        let image: JSONValue = ["type": "image_url", "image_url": ["url": "data:x", "detail": "low"]]
        let call: JSONValue = ["id": "c1", "type": "function", "function": ["name": "f", "arguments": "{}"]]
        let request: JSONValue = [
            "messages": [
                ["role": "system", "content": "A"], ["role": "developer", "content": [["type": "text", "text": "B"]]],
                ["role": "user", "content": [["type": "text", "text": "C"], image]],
                ["role": "assistant", "content": .null, "tool_calls": [call]],
                ["role": "tool", "tool_call_id": "c1", "content": "42"],
                ["role": "assistant", "content": [["type": "text", "text": "D"]]],
                ["role": "system", "content": "E"],
            ]
        ]
        #expect(
            try body(request)
                == #"{"model":"m","instructions":"A\n\nB","input":[{"role":"user","content":[{"type":"input_text","text":"C"},"#
                + #"{"type":"input_image","image_url":"data:x","detail":"low"}]},"#
                + #"{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},"#
                + #"{"type":"function_call_output","call_id":"c1","output":"42"},"#
                + #"{"role":"assistant","content":[{"type":"output_text","text":"D"}]},{"role":"system","content":"E"}],"store":false}"#)
    }

    @Test func parametersGetTheirOtherNames() throws {
        let request: JSONValue = [
            "messages": [], "max_tokens": 30, "temperature": 0.5, "reasoning_effort": "low", "verbosity": "high", "store": true, "n": 1,
            "presence_penalty": 0, "seed": .null,
            "response_format": ["type": "json_schema", "json_schema": ["name": "O", "schema": [:], "strict": true]],
            "tools": [["type": "function", "function": ["name": "f", "parameters": [:]]], ["type": "web_search"]],
            "tool_choice": ["type": "function", "function": ["name": "f"]],
        ]
        #expect(
            try body(request, streams: true)
                == #"{"model":"m","input":[],"max_output_tokens":30,"temperature":0.5,"reasoning":{"effort":"low"},"store":true,"#
                + #""tools":[{"type":"function","name":"f","parameters":{},"strict":false},{"type":"web_search"}],"#
                + #""tool_choice":{"type":"function","name":"f"},"text":{"verbosity":"high","#
                + #""format":{"type":"json_schema","name":"O","schema":{},"strict":true}},"stream":true}"#)
    }

    @Test(arguments: ["n", "stop", "seed", "logit_bias", "presence_penalty"]) func whatHasNoCounterpartIsRefused(name: String) {
        let request = JSONValue.object([.init("messages", []), .init(name, 2)])
        #expect(throws: ResponsesRequest.noCounterpart("'\(name)'")) { try body(request) }
    }

    @Test func aResponseIsRead() throws {
        #expect(
            try reply(Self.response)
                == ModelReply(
                    text: "Hello", finishReason: "stop", usage: Usage(inputTokens: 5, outputTokens: 2, cacheReadTokens: 3), model: "m-1",
                    requestID: "resp_1", reasoning: "Hm"))
    }

    @Test func callsOfToolsAreRead() throws {
        let reply = try reply(
            #"{"status":"completed","output":[{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{}"}]}"#)
        #expect(reply.toolCalls?.text == #"[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]"#)
        #expect(reply.finishReason == "tool_calls")
        #expect(reply.text == nil)
    }

    @Test(arguments: [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("other", "other")])
    func anIncompleteOneSaysWhy(reason: String, finishReason: String) throws {
        let reply = try reply(
            #"{"status":"incomplete","incomplete_details":{"reason":"\#(reason)"},"#
                + #""output":[{"type":"message","content":[{"type":"output_text","text":"He"}]}]}"#)
        #expect(reply.text == "He")
        #expect(reply.finishReason == finishReason)
        #expect(!reply.isComplete)
    }

    @Test func aRefusalIsOne() throws {
        let body = #"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No"}]}]}"#
        #expect(throws: ModelFailure(.refused, "declined to answer", calls: 1, partialText: "No")) { try reply(body) }
    }

    @Test(arguments: [
        #"{"status":"in_progress","output":[]}"#, #"{"status":"queued","output":[]}"#, #"{"status":"completed"}"#, "{}", "[]",
    ])
    func whatHasNotEndedIsNoAnswer(body: String) {
        #expect(throws: ModelFailure.self) { try reply(body) }
    }

    func assembled(_ text: String) throws -> ResponsesStream {
        var parser = ServerSentEventParser()
        var stream = ResponsesStream()
        for event in try parser.feed(Array(text.utf8)) + parser.finish() { _ = stream.take(event) }
        return stream
    }

    @Test func aStreamIsTheResponseThatItCarries() throws {
        let stream = try assembled(Self.stream)
        #expect(stream.text == "Hello")
        #expect(stream.body == (try JSONValue.parse(Self.response)))
        #expect(try assembled(String(Self.stream.prefix(400))).body == nil)
    }

    @Test func outputLeftOutOfTheLastEventIsTakenFromTheOthers() throws {
        let item = #"{"type":"message","content":[{"type":"output_text","text":"Hi"}]}"#
        let stream = try assembled(
            "data: {\"type\":\"response.output_item.done\",\"item\":\(item)}\n\n"
                + "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n")
        let body = try #require(stream.body)
        #expect(try OpenAIReply.chat(ResponsesReply.chat(body), requestID: nil).text == "Hi")
    }

    @Test(arguments: [
        #"event: error\#ndata: {"type":"error","code":"server_error","message":"boom","sequence_number":3}\#n\#n"#,
        #"event: response.failed\#ndata: {"type":"response.failed","response":{"status":"failed","output":[],"#
            + #""error":{"code":"server_error","message":"boom"}}}\#n\#n"#,
        #"data: {"error":{"message":"boom","code":"server_error"}}\#n\#n"#,
    ])
    func errorsInsideAStreamAreFound(text: String) throws {
        let body = try #require(try assembled(text).body)
        let error = try #require(OpenAIError(body: body))
        #expect(error.message == "boom")
        #expect(error.code == "server_error")
    }

    @Test(arguments: [
        (#"{"type":"response.created","response":{"output":[]}}"#, false), (#"{"type":"response.in_progress","response":{}}"#, false),
        (#"{"type":"response.output_item.added","item":{"type":"reasoning"}}"#, true),
        (#"{"type":"response.output_item.done","item":{"type":"message"}}"#, true),
        (#"{"type":"response.reasoning_summary_text.delta","delta":"Hm"}"#, true),
        (#"{"type":"response.function_call_arguments.delta","delta":"{"}"#, true),
        (#"{"type":"response.output_text.delta","delta":"Hel"}"#, true),
    ])
    func aResponseBeginsWithItsFirstItem(event: String, hasBegun: Bool) throws {
        var stream = ResponsesStream()
        var parser = ServerSentEventParser()
        for event in try parser.feed(Array("data: \(event)\n\n".utf8)) { _ = stream.take(event) }
        #expect(stream.hasBegun == hasBegun)
    }
}

/// Streams of the responses API that are not quite what they should be.
@Suite struct ResponsesDamageTests {
    private func assembled(_ events: [String]) throws -> (stream: ResponsesStream, told: String) {
        var parser = ServerSentEventParser()
        var stream = ResponsesStream()
        var told = ""
        for event in try parser.feed(Array(ChatStreamTests.stream(events).utf8)) + parser.finish() { told += stream.take(event).text }
        return (stream, told)
    }

    private static func delta(_ text: String) -> String { #"{"type":"response.output_text.delta","delta":"\#(text)","logprob":NaN}"# }
    private static let item = #"{"type":"message","content":[{"type":"output_text","text":"Hi"}]}"#
    private static let done = #"{"type":"response.output_item.done","item":\#(item)}"#
    private static let lost = #"{"type":"response.output_item.done","item":{"type":"mess"#
    private static let bare = #"{"type":"response.completed","response":{"status":"completed","output":[]}}"#

    @Test func halvesAreJoinedAndNumbersSkipped() throws {
        let (stream, told) = try assembled([Self.delta(#"H\ud83d"#), Self.delta(#"\ude00"#)])
        #expect(told == "H😀")
        #expect(stream.text == "H😀")
        #expect(stream.unreadable == nil)
    }

    @Test func theLastEventMakesUpForWhatWasLost() throws {
        let whole = #"{"type":"response.completed","response":\#(ResponsesTests.response)}"#
        let (stream, _) = try assembled([Self.lost, whole])
        #expect(stream.body != nil)
        #expect(stream.unreadable == nil)
    }

    @Test func whatTheLastEventLeavesOutIsLost() throws {
        let (stream, _) = try assembled([Self.done, Self.lost, Self.bare])
        #expect(stream.body == nil)
        #expect(stream.unreadable?.number == 2)
        #expect(try assembled([Self.done, Self.bare]).stream.body != nil)
    }

    @Test func aLastEventThatIsCutIsNoEnd() throws {
        let (stream, _) = try assembled([Self.done, String(Self.bare.dropLast(5))])
        #expect(stream.body == nil)
        #expect(stream.unreadable?.number == 2)
    }

    @Test func anAnswerCutBeforeAnyTextIsInvalid() throws {
        let body =
            #"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"reasoning","summary":[]}],"#
            + #""usage":{"input_tokens":5,"output_tokens":16,"output_tokens_details":{"reasoning_tokens":16},"total_tokens":21}}"#
        let failure = #expect(throws: ModelFailure.self) {
            try OpenAIReply.chat(ResponsesReply.chat(try JSONValue.parse(body)), requestID: nil)
        }
        #expect(failure?.message == "spent all 16 output tokens on reasoning and wrote no text: raise max_tokens")
    }
}
