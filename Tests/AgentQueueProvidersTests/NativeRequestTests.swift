import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// A client's own request arrives at a provider of its form as it was written, and the answer comes back as it was written.
@Suite(.timeLimit(.minutes(1))) struct NativeRequestTests {
    private static let written =
        #"{ "model":"gpt-x", "messages":[{"role":"user","content":"How are y\u006fu?"}], "seed":1.0e2,"extra":{"a":1.50}, "stream":false}"#

    private func asked(_ body: String, form: RequestForm = .chat, model: String = "m") -> ModelRequest {
        var request = ModelRequest(
            kind: .generate, target: Target(provider: "scripted", model: model),
            body: ["messages": [["role": "user", "content": "How are you?"]], "seed": 100])
        request.native = NativeRequest(form: form, body: body)
        return request
    }

    private func events(
        of provider: any ModelProvider, _ request: ModelRequest
    ) async -> (outcome: Outcome?, events: [ReplyEvent]) {
        let told = Recorder<ReplyEvent>()
        let outcomes = await provider.respond(to: [request], CallOptions(timeout: 10_000, onEvent: told.add))
        return (outcomes.first, told.all)
    }

    @Test func whatIsWrongWithACountIsToldAsItCame() async throws {
        let body = #"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#
        try await withAnthropic(answer: ScriptedAnswer(400, json: body)) { provider, _ in
            let native = NativeRequest(form: .messages, body: #"{"model":"x","messages":[]}"#)
            guard case .failure(let failure) = await provider.countTokens(native, model: "m", timeout: 5_000) else {
                Issue.record("it was counted")
                return
            }
            #expect(failure.failure == .permanent)
            #expect(failure.answer == ErrorAnswer(status: 400, form: .messages, body: body))
        }
    }

    // MARK: Chat completions

    @Test func aChatIsSentAndAnsweredAsItWasWritten() async throws {
        let answer = hello.replacing("{\"id\"", with: "{ \"x\":1.0, \"id\"")
        try await withProvider(answer: ScriptedAnswer(json: answer)) { provider, server in
            let reply = try #require(await provider.respond(to: asked(Self.written)).reply)
            #expect(server.requests[0].text == Self.written.replacing("gpt-x", with: "m"))
            #expect(reply.native == NativeReply(form: .chat, body: answer))
            #expect(reply.text == "Hello")
        }
    }

    @Test func aStreamedChatDiffersFromItInTheStreamAlone() async throws {
        let chunks = ChatStreamTests.hello
        try await withProvider(answer: ScriptedAnswer(stream: ChatStreamTests.stream(chunks))) { provider, server in
            let (outcome, events) = await events(of: provider, asked(Self.written))
            #expect(
                server.requests[0].text
                    == Self.written.replacing("gpt-x", with: "m").replacing(
                        #""stream":false}"#, with: #""stream":true,"stream_options":{"include_usage":true}}"#))
            #expect(events.first == .begin(model: "m-1", id: "c-1", native: .chat))
            #expect(events.natives == chunks && events.text == "Hello")
            #expect(events.contains(.finish("stop")) && events.contains(.usage(Usage(inputTokens: 5, outputTokens: 2))))
            let native = try #require(outcome?.reply?.native)
            let whole: JSONValue = [
                "id": "c-1", "object": "chat.completion", "model": "m-1",
                "choices": [
                    [
                        "index": 0, "message": ["role": "assistant", "content": "Hello", "refusal": .null], "logprobs": .null,
                        "finish_reason": "stop",
                    ]
                ],
                "usage": ["prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7],
            ]
            #expect(try JSONValue.parse(native.body) == whole)
        }
    }

    /// The members that a client gave for its stream are kept beside ours.
    @Test func theClientsStreamOptionsAreKept() throws {
        let native = NativeRequest(form: .chat, body: #"{"model":"a","stream":true,"stream_options":{"include_obfuscation":false}}"#)
        let call = try NativeCall(native, model: "b")
        #expect(
            String(decoding: call.bytes(streams: true, countsStream: true), as: UTF8.self)
                == #"{"model":"b","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}}"#)
        #expect(String(decoding: call.bytes(streams: false), as: UTF8.self) == #"{"model":"b","stream":false}"#)
    }

    @Test func whatTheQueueAddedToIsWrittenAnew() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello)) { provider, server in
            var request = asked(Self.written)
            request.limitOutput(to: 9)
            let reply = try #require(await provider.respond(to: request).reply)
            #expect(server.requests[0].text.contains(#""max_tokens":9"#) && !server.requests[0].text.contains("extra"))
            #expect(reply.native?.form == .chat)
        }
    }

    @Test func anotherFormIsWrittenAnew() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello)) { provider, server in
            let reply = try #require(await provider.respond(to: asked(#"{"model":"claude"}"#, form: .messages)).reply)
            #expect(server.requests[0].text.contains("How are you?") && reply.native == nil)
        }
    }

    // MARK: Errors

    @Test func anErrorKeepsItsStatusAndItsBodyWithoutTheKey() async throws {
        let error = #"{"error":{"message":"no such tool 'x' (key sk-secret-123)","type":"invalid_request_error","param":"tools"}}"#
        try await withProvider(key: "sk-secret-123", answer: ScriptedAnswer(422, json: error)) { provider, _ in
            let failure = try #require(await provider.respond(to: asked(Self.written)).failure)
            #expect(failure.failure == .permanent)
            let kept = error.replacing("sk-secret-123", with: "***")
            #expect(failure.answer == ErrorAnswer(status: 422, form: .chat, body: kept))
            // Nobody waits for the body.
            #expect(await provider.respond(to: chat).failure?.answer == nil)
        }
        try await withProvider(answer: ScriptedAnswer(502, json: "<html>bad</html>")) { provider, _ in
            let failure = try #require(await provider.respond(to: asked(Self.written)).failure)
            #expect(failure.answer == ErrorAnswer(status: 502, form: nil, body: "<html>bad</html>"))
        }
    }

    @Test func aRefusalOfTheModelIsKeptAsTheReplyThatItIs() async throws {
        let refusal = #"{"id":"c","choices":[{"index":0,"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}"#
        try await withProvider(answer: ScriptedAnswer(json: refusal)) { provider, _ in
            let failure = try #require(await provider.respond(to: asked(Self.written)).failure)
            #expect(failure.failure == .refused && failure.answer == ErrorAnswer(status: 200, form: .chat, body: refusal))
        }
    }

    @Test func anErrorInAStreamIsNoEvent() async throws {
        let stream = ChatStreamTests.stream([ChatStreamTests.hello[1], #"{"error":{"message":"it broke","code":500}}"#])
        try await withProvider(answer: ScriptedAnswer(stream: stream)) { provider, _ in
            let (outcome, events) = await events(of: provider, asked(Self.written))
            #expect(outcome?.failure?.failure == .retryable)
            #expect(events.natives == [ChatStreamTests.hello[1]] && events.text == "Hel")
            let said = #"{"error":{"message":"it broke","code":500}}"#
            #expect(outcome?.failure?.answer == ErrorAnswer(status: 500, form: .chat, body: said))
        }
    }

    /// Its words stand for the status that it has none of.
    @Test(arguments: [
        ("invalid_request_error", 400 as Int?), ("server_error", 500), ("overloaded_error", 503), ("rate_limit_exceeded", 429),
        ("odd", nil),
    ]) func anErrorInAStreamHasTheStatusThatItsTypeMeans(type: String, status: Int?) async throws {
        let error = #"{"error":{"message":"no","type":"\#(type)"}}"#
        try await withProvider(answer: ScriptedAnswer(stream: ChatStreamTests.stream([error]))) { provider, _ in
            let (outcome, _) = await events(of: provider, asked(Self.written))
            #expect(outcome?.failure?.answer == status.map { ErrorAnswer(status: $0, form: .chat, body: error) })
        }
    }

    @Test func aBackgroundResponseIsOrdinaryUpstream() throws {
        let native = NativeRequest(form: .responses, body: #"{"model":"a","background":true,"input":"x"}"#)
        let call = try NativeCall(native, model: "b")
        #expect(String(decoding: call.bytes(streams: false), as: UTF8.self) == #"{"model":"b","input":"x"}"#)
    }

    // MARK: Messages

    private static let message =
        #"{"model":"claude-x","max_tokens":64,"system":"Be kind.","messages":[{"role":"system","content":"!"}],"thinking":{"type":"adaptive"}}"#

    @Test func aMessageIsSentWithItsVersionAndBetas() async throws {
        try await withAnthropic(key: "k", answer: ScriptedAnswer(json: AnthropicSample.hello)) { provider, server in
            var request = asked(Self.message, form: .messages, model: "claude-sonnet-5")
            request.native?.version = "2024-01-01"
            request.native?.betas = ["a-1", "b-2"]
            let reply = try #require(await provider.answer(request).reply)
            let sent = server.requests[0]
            #expect(sent.text == Self.message.replacing("claude-x", with: "claude-sonnet-5"))
            #expect(sent["anthropic-version"] == "2024-01-01" && sent["anthropic-beta"] == "a-1,b-2")
            #expect(reply.native == NativeReply(form: .messages, body: AnthropicSample.hello))
        }
    }

    @Test func aStreamedMessageIsTheOneThatItCarries() async throws {
        try await withAnthropic(answer: AnthropicSample.stream()) { provider, server in
            let (outcome, events) = await events(
                of: provider, asked(Self.message, form: .messages, model: "claude-sonnet-5"))
            #expect(
                server.requests[0].text
                    == Self.message.replacing("claude-x", with: "claude-sonnet-5").dropLast() + #","stream":true}"#)
            #expect(events.first == .begin(model: "claude-sonnet-5", id: "msg_1", native: .messages))
            #expect(events.natives == AnthropicSample.events.map(\.data))
            #expect(events.canonical == AnthropicSample.canonical)
            let native = try JSONValue.parse(try #require(outcome?.reply?.native).body)
            #expect(native["usage"] == ["input_tokens": 12, "cache_read_input_tokens": 30, "output_tokens": 20])
            #expect(native["content"]?.array?.map { $0["type"]?.string } == ["thinking", "text", "tool_use"])
            #expect(native["stop_reason"] == "tool_use" && native["content"]?.array?[0]["signature"] == "c2ln")
            #expect(try AnthropicReply.message(native, requestID: nil) == AnthropicSample.reply)
        }
    }

    // MARK: Responses

    @Test func aResponseIsSentToAServerThatHasTheAPI() async throws {
        let body = #"{"input":"hi","model":"gpt-x","tools":[{"type":"web_search"}]}"#
        let response: JSONValue = [
            "id": "resp_1", "object": "response", "status": "completed", "model": "m-1",
            "output": [
                ["type": "reasoning", "summary": [["type": "summary_text", "text": "one"], ["type": "summary_text", "text": "two"]]],
                ["type": "message", "content": [["type": "output_text", "text": "Hello"]]],
                ["type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"],
            ], "usage": ["input_tokens": 5, "output_tokens": 2],
        ]
        let pieces: [JSONValue] = [
            ["type": "response.created", "response": ["id": "resp_1", "model": "m-1"]],
            ["type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "one"],
            ["type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "two"],
            ["type": "response.output_text.delta", "output_index": 1, "delta": "Hello"],
            [
                "type": "response.output_item.added", "output_index": 2,
                "item": ["type": "function_call", "call_id": "call_1", "name": "f"],
            ],
            ["type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"],
            ["type": "response.completed", "response": response],
        ]
        let script = Script { request in
            request.text.contains("stream")
                ? ScriptedAnswer(stream: ChatStreamTests.stream(pieces.map(\.text))) : ScriptedAnswer(json: response.text)
        }
        try await ScriptedServer.withServer(script) { server in
            try await withTransport { transport in
                let provider = OpenAIProvider(
                    name: "scripted", baseURL: "\(server.url)/v1", apiKey: nil, api: .responses, transport: transport)
                let plain = await provider.respond(to: asked(body, form: .responses)).reply
                #expect(server.requests[0].text == body.replacing("gpt-x", with: "m") && server.requests[0].path == "/v1/responses")
                let (outcome, events) = await events(of: provider, asked(body, form: .responses))
                #expect(outcome?.reply == plain && plain?.native == NativeReply(form: .responses, body: response.text))
                #expect(events.first == .begin(model: "m-1", id: "resp_1", native: .responses))
                #expect(events.natives == pieces.map(\.text))
                #expect(
                    events.canonical == [
                        .reasoning("one"), .reasoning("\n\ntwo"), .text("Hello"), .toolCall(index: 0, id: "call_1", name: "f"),
                        .arguments(index: 0, "{}"), .usage(Usage(inputTokens: 5, outputTokens: 2)), .finish("tool_calls"),
                    ])
            }
        }
    }

    // MARK: Tool calls of chats

    @Test func theCallsOfAChatAreToldOnceTheirNamesAreKnown() throws {
        var stream = ChatStream()
        let deltas = [
            #"{"reasoning_content":"hm"}"#,
            #"{"tool_calls":[{"index":1,"id":"b","function":{"arguments":"{"}}]}"#,
            #"{"tool_calls":[{"index":1,"function":{"name":"g","arguments":"}"}}]}"#,
            #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
            #"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
        ]
        let events = deltas.flatMap { stream.take(ServerSentEvent(data: ChatStreamTests.choice($0))) }
        #expect(
            events == [
                .begin(model: "m-1", id: "c-1", native: nil), .reasoning("hm"), .toolCall(index: 0, id: "b", name: "g"),
                .arguments(index: 0, "{}"), .toolCall(index: 1, id: "a", name: "f"), .arguments(index: 1, "{}"),
            ])
    }
}

extension [ReplyEvent] {
    /// The data of the provider's own events.
    fileprivate var natives: [String] {
        compactMap { if case .native(_, let data) = $0 { data } else { nil } }
    }

    /// The others, but for the first.
    fileprivate var canonical: [ReplyEvent] {
        filter { if case .native = $0 { false } else { true } }.dropFirst().map(\.self)
    }
}

extension AnthropicSample {
    /// What the events of ``events`` say in any form, after the first.
    static let canonical: [ReplyEvent] = [
        .usage(Usage(inputTokens: 42, outputTokens: 1, cacheReadTokens: 30)), .reasoning("Let me "), .reasoning("think."),
        .signature("c2ln"), .text("Hello, "), .text("wörld"), .toolCall(index: 0, id: "toolu_1", name: "get_x"),
        .arguments(index: 0, #"{"q": "a"#), .arguments(index: 0, #"b"}"#),
        .usage(Usage(inputTokens: 42, outputTokens: 20, cacheReadTokens: 30)), .finish("tool_calls"),
    ]
}

/// The events of a stream come to the reply that it carries.
@Suite struct StreamEventTests {
    @Test(arguments: UInt64(0)..<200) func theEventsOfAChatComeToItsReply(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var stream = ChatStream(keepsNative: true)
        var events: [ReplyEvent] = []
        func take(_ delta: JSONValue, _ reason: JSONValue = .null) {
            let chunk: JSONValue = [
                "id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m-1", "service_tier": "flex",
                "choices": [["index": 0, "delta": delta, "finish_reason": reason]],
            ]
            events += stream.take(ServerSentEvent(data: chunk.text))
        }
        let words = ["", "a", "é ", "{\"q\":", "}", "\n", "世界"]
        take(["role": "assistant", "content": ""])
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let word = JSONValue.string(words.randomElement(using: &generator) ?? "")
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: take(["content": word])
            case 1: take(["reasoning_content": word])
            case 2:
                let index = JSONValue.integer(Int64.random(in: 0..<3, using: &generator))
                take(["tool_calls": [["index": index, "id": "call", "function": ["name": "f", "arguments": word]]]])
            default: take(["content": word, "reasoning_content": word])
            }
        }
        take(.object([]), "stop")
        let body = try #require(stream.body)
        let reply = try OpenAIReply.chat(body, requestID: nil)
        #expect(events.text == reply.text ?? "" && events.reasoning == reply.reasoning ?? "")
        #expect(events.arguments == (reply.toolCalls?.array ?? []).map { $0["function"]?["arguments"]?.string ?? "" })
        let native = try #require(stream.nativeBody)
        #expect(try OpenAIReply.chat(native, requestID: nil) == reply)
        #expect(native["created"] == 7 && native["service_tier"] == "flex" && native["object"] == "chat.completion")
        #expect(native["choices"]?.array?.first?["message"]?["reasoning_content"]?.string ?? "" == events.reasoning)
    }
}

extension [ReplyEvent] {
    fileprivate var reasoning: String {
        reduce(into: "") { if case .reasoning(let text) = $1 { $0 += text } }
    }

    /// The arguments of the calls, in the order of their beginnings.
    fileprivate var arguments: [String] {
        reduce(into: []) { calls, event in
            if case .toolCall(let index, _, _) = event, index == calls.count { calls.append("") }
            if case .arguments(let index, let text) = event, calls.indices.contains(index) { calls[index] += text }
        }
    }
}
