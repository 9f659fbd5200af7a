import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct OpenAIStreamTests {
    let hello = ChatStreamTests.stream(ChatStreamTests.hello)

    @Test func theTextComesPieceByPiece() async throws {
        let gate = Gate()
        let bytes = begun.utf8.count
        let headers = [("x-request-id", "r-1"), ("x-ratelimit-remaining-requests", "7")]
        let answer = ScriptedAnswer(stream: hello, headers: headers, pauses: [(bytes, gate)])
        try await withProvider(answer: answer) { provider, server in
            let told = Recorder<String>()
            async let outcome = provider.respond(to: chat, onText: told.add)
            try await told.wait(atLeast: 1)
            #expect(told.all == ["Hel"])
            gate.open()
            let reply = try #require(await outcome.reply)
            var expected = ChatStreamTests.helloReply
            expected.requestID = "r-1"
            expected.limits = ObservedLimits(requests: .init(remaining: 7))
            #expect(reply == expected)
            #expect(told.text == "Hello")
            #expect(
                server.requests[0].text
                    == #"{"model":"m","messages":[{"role":"user","content":"How are you today?"}],"#
                    + #""stream":true,"stream_options":{"include_usage":true}}"#)
        }
    }

    @Test func whereNobodyListensNothingIsStreamed() async throws {
        try await withProvider(answer: ScriptedAnswer(json: AgentQueueProvidersTests.hello)) { provider, server in
            #expect(await provider.respond(to: chat).reply?.text == "Hello")
            #expect(!server.requests[0].text.contains("stream"))
        }
    }

    @Test func onlyTheFirstOfSeveralIsStreamed() async throws {
        let script = Script { request in
            request.text.contains(#""stream":true"#)
                ? ScriptedAnswer(stream: ChatStreamTests.stream(ChatStreamTests.hello))
                : ScriptedAnswer(json: AgentQueueProvidersTests.hello)
        }
        try await withProvider(answers: script) { provider, server in
            let told = Recorder<String>()
            let outcomes = await provider.respond(to: [chat, chat, chat], CallOptions(timeout: 10_000, onText: told.add))
            #expect(outcomes.compactMap(\.reply?.text) == ["Hello", "Hello", "Hello"])
            #expect(told.text == "Hello")
            #expect(server.requests.filter { $0.text.contains("stream") }.count == 1)
        }
    }

    @Test func anAnswerThatIsNoStreamIsReadAllTheSame() async throws {
        try await withProvider(answer: ScriptedAnswer(json: AgentQueueProvidersTests.hello)) { provider, _ in
            let told = Recorder<String>()
            #expect(await provider.respond(to: chat, onText: told.add).reply?.text == "Hello")
            #expect(told.all.isEmpty)
        }
    }

    @Test func aStreamThatIsNotCalledOneIsReadAllTheSame() async throws {
        let answer = ScriptedAnswer(headers: [("content-type", "text/plain")], body: Array(hello.utf8))
        try await withProvider(answer: answer) { provider, _ in
            let told = Recorder<String>()
            #expect(await provider.respond(to: chat, onText: told.add).reply == ChatStreamTests.helloReply)
            #expect(told.text == "Hello")
        }
    }

    @Test func onlyTheAnswersOwnTextIsTold() async throws {
        let text = ChatStreamTests.stream([
            ChatStreamTests.choice(#"{"reasoning":"hm"}"#), ChatStreamTests.choice(#"{"content":"4"}"#),
            ChatStreamTests.choice(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#),
            ChatStreamTests.choice("{}", #""stop""#),
        ])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, _ in
            let told = Recorder<String>()
            let reply = try #require(await provider.respond(to: chat, onText: told.add).reply)
            #expect(told.all == ["4"])
            #expect(reply.reasoning == "hm")
            #expect(reply.toolCalls != nil)
        }
    }

    @Test func anErrorStatusIsOne() async throws {
        let answer = ScriptedAnswer(429, headers: [("retry-after", "2")], json: #"{"error":"slow"}"#)
        try await withProvider(answer: answer) { provider, _ in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.failure == .rateLimited)
            #expect(failure.retryAfter == 2_000)
            #expect(!failure.isMaybePaid)
        }
    }

    /// A stream's beginning, up to and with "Hel".
    var begun: String { ChatStreamTests.stream(Array(ChatStreamTests.hello.prefix(2))) }

    @Test(arguments: [
        (ScriptedAnswer.Ending.whole, FailureClass.retryable), (.dropped(afterBytes: .max), .retryable),
        (.stalled(afterBytes: .max), .timedOut),
    ])
    func whatHadArrivedIsKept(ending: ScriptedAnswer.Ending, expected: FailureClass) async throws {
        let headers = [("x-request-id", "r-1"), ("x-ratelimit-remaining-tokens", "7")]
        try await withProvider(answer: ScriptedAnswer(stream: begun, headers: headers, ending: ending)) { provider, _ in
            let timeout: Int64 = expected == .timedOut ? 5_000 : 30_000
            let failure = try #require(await provider.respond(to: chat, timeout: timeout, onText: { _ in }).failure)
            #expect(failure.failure == expected)
            #expect(failure.partialText == "Hel")
            #expect(failure.isMaybePaid)
            #expect(failure.requestID == "r-1")
            #expect(failure.limits == ObservedLimits(tokens: .init(remaining: 7)))
        }
    }

    @Test func cancellingKeepsWhatHadArrived() async throws {
        try await withProvider(answer: ScriptedAnswer(stream: begun, ending: .stalled(afterBytes: .max))) { provider, server in
            let told = Recorder<String>()
            let call = Task { await provider.respond(to: chat, timeout: 60_000, onText: told.add) }
            try await told.wait(atLeast: 1)
            call.cancel()
            let failure = try #require(await call.value.failure)
            #expect(failure.failure == .cancelled)
            #expect(failure.partialText == "Hel")
            try await server.waitForClientsToClose(1)
        }
    }

    @Test(arguments: [(.dropped(afterBytes: .max), 30_000), (.stalled(afterBytes: .max), 5_000)] as [(ScriptedAnswer.Ending, Int64)])
    func whatBreaksBehindTheEndIsWhole(ending: ScriptedAnswer.Ending, timeout: Int64) async throws {
        let answer = ScriptedAnswer(stream: ChatStreamTests.stream(Array(ChatStreamTests.hello.prefix(5))), ending: ending)
        try await withProvider(answer: answer) { provider, _ in
            let reply = try #require(await provider.respond(to: chat, timeout: timeout, onText: { _ in }).reply)
            #expect(reply == ChatStreamTests.helloReply)
        }
    }

    @Test(arguments: [
        (#"{"error":{"message":"boom","type":"server_error"}}"#, FailureClass.retryable),
        (#"{"error":{"message":"slow","code":429}}"#, .rateLimited),
        (#"{"error":{"message":"x","code":"insufficient_quota"}}"#, .quotaExhausted),
    ])
    func anErrorInsideAStreamIsOne(chunk: String, expected: FailureClass) async throws {
        let text = begun + ChatStreamTests.stream([chunk, "[DONE]"])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, _ in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.failure == expected)
            #expect(failure.partialText == "Hel")
            #expect(failure.isMaybePaid)
        }
    }

    @Test(arguments: [
        #"{"reasoning":"hm"}"#, #"{"reasoning_content":"hm"}"#, #"{"refusal":"no"}"#,
        #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#,
        #"{"function_call":{"name":"f","arguments":"{"}}"#,
    ])
    func whatIsNoTextIsABeginningToo(delta: String) async throws {
        let text = ChatStreamTests.stream([ChatStreamTests.choice(delta), #"{"error":"boom"}"#])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, _ in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.isMaybePaid)
            #expect(failure.partialText == nil)
        }
    }

    @Test(arguments: [#"{"role":"assistant","content":"","refusal":null}"#, "{}"])
    func anEmptyDeltaIsNoBeginning(delta: String) async throws {
        let text = ChatStreamTests.stream([ChatStreamTests.choice(delta), #"{"error":"boom"}"#])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, _ in
            #expect(await provider.respond(to: chat, onText: { _ in }).failure?.isMaybePaid == false)
        }
    }

    @Test func anErrorBeforeAnyTextCostsNothing() async throws {
        try await withProvider(answer: ScriptedAnswer(stream: ChatStreamTests.stream([#"{"error":"boom"}"#]))) { provider, _ in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.failure == .retryable)
            #expect(!failure.isMaybePaid)
            #expect(failure.partialText == nil)
        }
    }

    @Test(arguments: ["", ": ping\n\n", "data: [DONE]\n\n", "data: {\n\n", "\u{0}\u{1}\u{2}"])
    func anEmptyStreamIsNoAnswer(text: String) async throws {
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, _ in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect([.retryable, .invalidReply].contains(failure.failure))
            #expect(failure.isMaybePaid || failure.calls == 1)
        }
    }

    @Test func invalidUTF8IsRepaired() async throws {
        var body = Array(#"data: {"choices":[{"delta":{"content":"a"#.utf8)
        body += [0xFF] + Array("b\"},\"finish_reason\":\"stop\"}]}\n\n".utf8)
        let answer = ScriptedAnswer(headers: [("content-type", "text/event-stream")], body: body)
        try await withProvider(answer: answer) { provider, _ in
            #expect(await provider.respond(to: chat, onText: { _ in }).reply?.text == "a\u{FFFD}b")
        }
    }

    @Test func aRefusedStreamSaysNothingOfThePrompt() async throws {
        let text = ChatStreamTests.stream([
            ChatStreamTests.choice(#"{"refusal":"How are you today? I won't say."}"#), ChatStreamTests.choice("{}", #""stop""#),
            #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#, "[DONE]",
        ])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, server in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            let expected = ModelFailure(
                .refused, "\(server.url)/v1 declined to answer", usage: Usage(inputTokens: 5, outputTokens: 2), calls: 1,
                partialText: "How are you today? I won't say.")
            #expect(failure == expected)
        }
    }
}
