import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct AnthropicProviderTests {
    // MARK: What is sent

    @Test func aMessageGoesOutAndComesBack() async throws {
        let headers = [
            ("request-id", "req_9"), ("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "49"),
        ]
        try await withAnthropic(key: " sk-ant-1 \n", answer: ScriptedAnswer(headers: headers, json: AnthropicSample.hello)) {
            provider, server in
            let reply = try #require(await provider.answer(AnthropicSample.request, key: "key-1").reply)
            #expect(reply.text == "Hello")
            #expect(reply.requestID == "req_9")
            #expect(reply.limits == ObservedLimits(requests: .init(limit: 50, remaining: 49)))
            #expect(reply.calls == 1)
            let sent = try #require(server.requests.first)
            #expect(sent.method == "POST")
            #expect(sent.path == "/v1/messages")
            #expect(
                sent.text
                    == #"{"model":"claude-sonnet-5","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"#
                    + #""How are you today?"}]}]}"#)
            #expect(sent["x-api-key"] == "sk-ant-1")
            #expect(sent["authorization"] == nil)
            #expect(sent["anthropic-version"] == "2023-06-01")
            #expect(sent["content-type"] == "application/json")
            #expect(sent["idempotency-key"] == "key-1")
        }
    }

    @Test func withoutAKeyNoneIsSent() async throws {
        try await withAnthropic(key: " ", answer: ScriptedAnswer(json: AnthropicSample.hello)) { provider, server in
            #expect(await provider.answer(AnthropicSample.request).reply != nil)
            #expect(server.requests[0]["x-api-key"] == nil)
            #expect(server.requests[0]["authorization"] == nil)
            #expect(server.requests[0]["idempotency-key"] == nil)
        }
    }

    @Test func theNewVersionTakesABearerToken() async throws {
        let answers = Script.always(ScriptedAnswer(json: AnthropicSample.hello))
        try await withAnthropic(key: "sk", version: "2026-10-21", answers: answers) { provider, server in
            #expect(await provider.answer(AnthropicSample.request).reply != nil)
            #expect(await provider.answer(AnthropicSample.asked("x", ["temperature": 1])).reply != nil)
            let sent = server.requests
            #expect(sent.map { $0["anthropic-version"] } == ["2026-10-21", "2023-06-01"])
            #expect(sent.map { $0["authorization"] } == ["Bearer sk", nil])
            #expect(sent.map { $0["x-api-key"] } == ["sk", "sk"])
            #expect(sent[1].text.contains(#""temperature":1"#))
        }
    }

    @Test(arguments: [
        ("", "/v1/messages"), ("/", "/v1/messages"), ("/v1", "/v1/messages"), ("/v1/", "/v1/messages"),
        ("/proxy/anthropic", "/proxy/anthropic/v1/messages"), ("/proxy/v1?a=b", "/proxy/v1/messages?a=b"),
    ])
    func theBaseURLMayEndInTheVersion(path: String, expected: String) async throws {
        try await withAnthropic(path: path, answers: .always(ScriptedAnswer(json: AnthropicSample.hello))) { provider, server in
            #expect(await provider.answer(AnthropicSample.request).reply != nil)
            #expect(server.requests[0].path == expected)
            // Whoever enqueues works it out without a provider.
            #expect(provider.identity == ProviderIdentity.of(kind: "anthropic", baseURL: server.url + path))
        }
    }

    @Test func capabilitiesAndIdentity() async throws {
        try await withAnthropic("https://user:pw@API.anthropic.com:443/v1/") { provider in
            #expect(provider.identity == "anthropic https://api.anthropic.com/v1")
            #expect(provider.capabilities.streams && provider.capabilities.hasStructuredOutput)
        }
    }

    @Test func whatCannotBeTranslatedIsNotSent() async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: AnthropicSample.hello)) { provider, server in
            let embed = ModelRequest(kind: .embed, target: AnthropicSample.request.target, body: ["input": ["x"]])
            let outcomes = await provider.respond(
                to: [embed, AnthropicSample.asked("x", ["seed": 1]), AnthropicSample.request], CallOptions(timeout: 10_000))
            #expect(outcomes.map { $0.failure?.failure } == [.permanent, .permanent, nil])
            #expect(server.requests.count == 1)
        }
    }

    @Test func severalRunAtOnce() async throws {
        let gate = Gate()
        try await withAnthropic(answer: ScriptedAnswer(json: AnthropicSample.hello, after: gate)) { provider, server in
            let requests = [AnthropicSample.request, AnthropicSample.request, AnthropicSample.request]
            async let outcomes = provider.respond(to: requests, CallOptions(timeout: 10_000, idempotencyKey: "k"))
            let arrived = try await server.waitForRequests(3)
            gate.open()
            #expect(await outcomes.compactMap(\.reply?.text) == ["Hello", "Hello", "Hello"])
            #expect(Set(arrived.compactMap { $0["idempotency-key"] }) == ["k-0", "k-1", "k-2"])
        }
    }

    // MARK: Errors

    static let errors: [(Int, String, FailureClass, FailureScope)] = [
        (400, "invalid_request_error", .permanent, .target), (401, "authentication_error", .authentication, .provider),
        (402, "billing_error", .quotaExhausted, .provider), (403, "permission_error", .authentication, .target),
        (404, "not_found_error", .permanent, .target), (409, "conflict_error", .retryable, .target),
        (413, "request_too_large", .permanent, .target), (429, "rate_limit_error", .rateLimited, .target),
        (500, "api_error", .retryable, .target), (504, "timeout_error", .retryable, .target),
        (529, "overloaded_error", .overloaded, .target),
    ]

    @Test(arguments: errors.indices, [false, true]) func eachErrorIsAValue(row: Int, streams: Bool) async throws {
        let (status, type, failure, scope) = Self.errors[row]
        let headers = [("request-id", "req_1"), ("anthropic-ratelimit-tokens-remaining", "5"), ("retry-after", "3")]
        let body = #"{"type":"error","error":{"type":"\#(type)","message":"no 'How are you today?'"},"request_id":"req_1"}"#
        let told = Recorder<String>()
        let add: @Sendable (String) -> Void = { told.add($0) }
        let mayPass: [FailureClass] = [.rateLimited, .overloaded, .retryable, .quotaExhausted]
        try await withAnthropic(answer: ScriptedAnswer(status, headers: headers, json: body)) { provider, server in
            let found = try #require(await provider.answer(AnthropicSample.request, onText: streams ? add : nil).failure)
            #expect(found.failure == failure)
            #expect(found.scope == scope)
            #expect(found.message == "\(server.url) answered \(status) (\(type)): no '***'")
            #expect(found.retryAfter == (mayPass.contains(failure) ? 3_000 : nil))
            #expect(found.requestID == "req_1")
            #expect(found.limits == ObservedLimits(tokens: .init(remaining: 5)))
            #expect(found.calls == 0 && !found.isMaybePaid)
            #expect(server.requests.count == 1)
        }
    }

    @Test func anEmptyAccountPausesTheProvider() async throws {
        let body = #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access"}}"#
        try await withAnthropic(answer: ScriptedAnswer(400, json: body)) { provider, _ in
            let failure = try #require(await provider.answer(AnthropicSample.request).failure)
            #expect(failure.failure == .quotaExhausted)
            #expect(failure.scope == .provider)
        }
    }

    @Test(arguments: [
        ("", FailureClass.invalidReply), ("{", .invalidReply), ("<html>", .invalidReply), ("{}", .invalidReply), ("[]", .invalidReply),
        (#"{"content":[{"type":"text","text":"\#u{FFFD}"#, .invalidReply), (#"{"error":{"message":"down","code":502}}"#, .retryable),
        (#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#, .overloaded),
        (#"{"content":[],"stop_reason":"refusal"}"#, .refused),
    ])
    func goodStatusesWithBadBodiesAreFailures(body: String, expected: FailureClass) async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: body)) { provider, _ in
            #expect(await provider.answer(AnthropicSample.request).failure?.failure == expected)
        }
    }

    @Test func invalidUTF8IsRepaired() async throws {
        var bytes = Array(AnthropicSample.hello.utf8)
        let place = try #require(bytes.firstRange(of: Array("Hello".utf8))).lowerBound
        bytes[place] = 0xFF
        try await withAnthropic(answer: ScriptedAnswer(headers: [("content-type", "application/json")], body: bytes)) { provider, _ in
            #expect(await provider.answer(AnthropicSample.request).reply?.text == "\u{FFFD}ello")
        }
    }

    @Test(arguments: [ScriptedAnswer.Ending.droppedUnanswered, .dropped(afterBytes: 0), .dropped(afterBytes: 20)])
    func aDroppedConnectionMayHaveBeenPaidFor(ending: ScriptedAnswer.Ending) async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: AnthropicSample.hello, ending: ending)) { provider, _ in
            let failure = try #require(await provider.answer(AnthropicSample.request).failure)
            #expect(failure.failure == .retryable)
            #expect(failure.isMaybePaid)
        }
    }

    @Test func aSlowBodyTimesOut() async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: AnthropicSample.hello, ending: .stalled(afterBytes: 10))) { provider, server in
            let failure = try #require(await provider.answer(AnthropicSample.request, timeout: 10_000).failure)
            #expect(failure.failure == .timedOut)
            #expect(failure.isMaybePaid)
            try await within(.seconds(10), "the connection is closed") { try await server.waitForClientsToClose(1) }
        }
    }

    @Test func nobodyThereIsNotTheCallsFault() async throws {
        try await withAnthropic("http://127.0.0.1:1") { provider in
            let failure = try #require(await provider.answer(AnthropicSample.request).failure)
            #expect(failure.failure == .unreachable)
            #expect(!failure.isMaybePaid)
        }
    }

    // MARK: Streams

    @Test func aStreamIsToldPieceByPiece() async throws {
        let told = Recorder<String>()
        try await withAnthropic(answer: AnthropicSample.stream(headers: [("request-id", "req_2")])) { provider, server in
            let reply = try #require(await provider.answer(AnthropicSample.request, onText: { told.add($0) }).reply)
            var expected = AnthropicSample.reply
            expected.requestID = "req_2"
            #expect(reply == expected)
            #expect(told.all == ["Hello, ", "wörld"])
            #expect(server.requests[0].text.contains(#""stream":true"#))
        }
    }

    @Test func ofSeveralTheFirstIsTold() async throws {
        let told = Recorder<String>()
        let script = Script { request in
            request.text.contains(#""stream":true"#) ? AnthropicSample.stream() : ScriptedAnswer(json: AnthropicSample.hello)
        }
        try await withAnthropic(answers: script) { provider, _ in
            let outcomes = await provider.respond(
                to: [AnthropicSample.request, AnthropicSample.request], CallOptions(timeout: 10_000, onText: { told.add($0) }))
            #expect(outcomes.map { $0.reply?.text } == ["Hello, wörld", "Hello"])
            #expect(told.all == ["Hello, ", "wörld"])
        }
    }

    @Test func longAnswersAreStreamed() async throws {
        try await withAnthropic(answer: AnthropicSample.stream()) { provider, server in
            #expect(await provider.answer(AnthropicSample.asked("x", ["max_tokens": 20_001])).reply?.text == "Hello, wörld")
            #expect(await provider.answer(AnthropicSample.asked("x", ["max_tokens": 20_000])).reply == nil)
            #expect(server.requests.map { $0.text.contains(#""stream":true"#) } == [true, false])
        }
    }

    @Test func aServerThatDoesNotStreamIsRead() async throws {
        let told = Recorder<String>()
        try await withAnthropic(answer: ScriptedAnswer(json: AnthropicSample.hello)) { provider, _ in
            #expect(await provider.answer(AnthropicSample.request, onText: { told.add($0) }).reply?.text == "Hello")
            #expect(told.all == ["Hello"])
        }
    }

    /// A stream that ends early, at each of its events, in order and by a dropped connection.
    @Test(arguments: 0..<AnthropicSample.events.count, [false, true])
    func noBeginningOfAStreamIsAnAnswer(count: Int, isDropped: Bool) async throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events.prefix(count))
        let answer =
            isDropped
            ? AnthropicSample.stream(
                bytes + Array(": more".utf8), headers: [("request-id", "r")], ending: .dropped(afterBytes: bytes.count))
            : AnthropicSample.stream(bytes, headers: [("request-id", "r")])
        try await withAnthropic(answer: answer) { provider, _ in
            let failure = try #require(await provider.answer(AnthropicSample.request, onText: { _ in }).failure)
            #expect(failure.failure == .retryable)
            #expect(failure.isMaybePaid)
            #expect(failure.requestID == "r")
            #expect(failure.calls == (count > 0 ? 1 : 0))
            #expect(failure.partialText == (count < 9 ? nil : count < 11 ? "Hello, " : "Hello, wörld"))
            let usage = Usage(inputTokens: 42, outputTokens: count < 20 ? 1 : 20, cacheReadTokens: 30, cacheWriteTokens: 0)
            #expect(failure.usage == (count == 0 ? Usage() : usage))
        }
    }

    @Test func aStreamCutWithinAnEventIsNoAnswer() async throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        for missing in [3, 10, 25] {
            try await withAnthropic(answer: AnthropicSample.stream(bytes.dropLast(missing))) { provider, _ in
                let failure = try #require(await provider.answer(AnthropicSample.request, onText: { _ in }).failure)
                #expect(failure.failure == .retryable)
                #expect(failure.usage.outputTokens == 20)
            }
        }
    }

    @Test func aBlankLineMayBeMissingAtTheEnd() async throws {
        try await withAnthropic(answer: AnthropicSample.stream(AnthropicSample.wire(AnthropicSample.events).dropLast(2))) { provider, _ in
            #expect(await provider.answer(AnthropicSample.request, onText: { _ in }).reply?.text == "Hello, wörld")
        }
    }

    @Test(arguments: [
        ("overloaded_error", FailureClass.overloaded), ("rate_limit_error", .rateLimited), ("api_error", .retryable),
        ("invalid_request_error", .permanent), ("authentication_error", .authentication), ("billing_error", .quotaExhausted),
    ])
    func anErrorInAStreamIsClassed(type: String, expected: FailureClass) async throws {
        let error = (name: "error", data: #"{"type":"error","error":{"type":"\#(type)","message":"Oh"}}"#)
        let bytes = AnthropicSample.wire(Array(AnthropicSample.events.prefix(9)) + [error])
        try await withAnthropic(answer: AnthropicSample.stream(bytes)) { provider, server in
            let failure = try #require(await provider.answer(AnthropicSample.request, onText: { _ in }).failure)
            #expect(failure.failure == expected)
            #expect(failure.message == "\(server.url) answered 200 (\(type)): Oh")
            #expect(failure.partialText == "Hello, ")
            #expect(failure.usage.inputTokens == 42)
            #expect(failure.isMaybePaid)
        }
    }

    @Test func anErrorBeforeTheAnswerBeginsCostsNothing() async throws {
        let ping = (name: "ping", data: #"{"type":"ping"}"#)
        let error = (name: "error", data: #"{"type":"error","error":{"type":"overloaded_error","message":"Oh"}}"#)
        try await withAnthropic(answer: AnthropicSample.stream(AnthropicSample.wire([ping, error]))) { provider, _ in
            let failure = try #require(await provider.answer(AnthropicSample.request, onText: { _ in }).failure)
            #expect(failure.failure == .overloaded)
            #expect(!failure.isMaybePaid)
            #expect(failure.calls == 0)
        }
    }

    @Test func aMalformedEventIsNoAnswer() async throws {
        let bytes = AnthropicSample.wire(Array(AnthropicSample.events.prefix(9)) + [(name: "content_block_delta", data: "{")])
        try await withAnthropic(answer: AnthropicSample.stream(bytes, ending: .stalled(afterBytes: bytes.count))) { provider, server in
            let failure = try #require(await provider.answer(AnthropicSample.request, timeout: 60_000, onText: { _ in }).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.message == "\(server.url) sent a stream whose event 10 is not valid JSON at byte 2: an object needs a key here")
            #expect(failure.partialText == "Hello, ")
        }
    }

    @Test func aStreamThatStaysOpenBehindItsEndIsAnAnswer() async throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        try await withAnthropic(answer: AnthropicSample.stream(bytes, ending: .stalled(afterBytes: bytes.count))) { provider, server in
            #expect(await provider.answer(AnthropicSample.request, timeout: 60_000, onText: { _ in }).reply?.text == "Hello, wörld")
            try await within(.seconds(10), "the connection is closed") { try await server.waitForClientsToClose(1) }
        }
    }

    @Test func aStalledStreamTimesOutWithWhatCame() async throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events.prefix(9))
        let answer = AnthropicSample.stream(bytes, headers: [("request-id", "r")], ending: .stalled(afterBytes: bytes.count))
        try await withAnthropic(answer: answer) { provider, _ in
            let failure = try #require(await provider.answer(AnthropicSample.request, timeout: 15_000, onText: { _ in }).failure)
            #expect(failure.failure == .timedOut)
            #expect(failure.partialText == "Hello, ")
            #expect(failure.requestID == "r")
            #expect(failure.isMaybePaid && failure.calls == 1)
        }
    }

    @Test func aCancelledStreamEndsAtOnce() async throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events.prefix(9))
        try await withAnthropic(answer: AnthropicSample.stream(bytes, ending: .stalled(afterBytes: bytes.count))) { provider, server in
            let came = Gate()
            let call = Task { await provider.answer(AnthropicSample.request, timeout: 60_000, onText: { _ in came.open() }) }
            try await within(.seconds(10), "text comes") { try await came.wait() }
            call.cancel()
            let failure = try #require(await call.value.failure)
            #expect(failure.failure == .cancelled)
            #expect(failure.partialText == "Hello, ")
            #expect(failure.isMaybePaid)
            try await within(.seconds(10), "the connection is closed") { try await server.waitForClientsToClose(1) }
        }
    }

    @Test func brokenUTF8InAStreamIsRepaired() async throws {
        var bytes = AnthropicSample.wire(AnthropicSample.events)
        let place = try #require(bytes.firstRange(of: Array("Hello".utf8))).lowerBound
        bytes[place] = 0xFF
        try await withAnthropic(answer: AnthropicSample.stream(bytes)) { provider, _ in
            #expect(await provider.answer(AnthropicSample.request, onText: { _ in }).reply?.text == "\u{FFFD}ello, wörld")
        }
    }

    // MARK: Counting and checking

    @Test func tokensAreCounted() async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: #"{"input_tokens":42}"#)) { provider, server in
            #expect(await provider.countTokens(AnthropicSample.asked("x", ["temperature": 0]), timeout: 5_000) == .success(42))
            #expect(server.requests[0].path == "/v1/messages/count_tokens")
            #expect(
                server.requests[0].text
                    == #"{"model":"claude-sonnet-5","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}"#)
        }
        try await withAnthropic(answer: ScriptedAnswer(404, json: #"{"type":"error","error":{"type":"not_found_error"}}"#)) {
            provider, server in
            let failure = ModelFailure(.permanent, "\(server.url) answered 404 (not_found_error)")
            #expect(await provider.countTokens(AnthropicSample.request, timeout: 5_000) == .failure(failure))
        }
    }

    static let listed = #"{"data":[{"type":"model","id":"old","lifecycle":"retired"},{"type":"model","id":"claude-a"}],"has_more":false}"#

    @Test func aCheckListsAndAsks() async throws {
        let script = Script {
            ScriptedAnswer(json: $0.method == "GET" ? Self.listed : AnthropicSample.hello.replacing("end_turn", with: "max_tokens"))
        }
        try await withAnthropic(path: "/v1?k=v", answers: script) { provider, server in
            let check = await provider.check(model: "claude-b", timeout: 10_000)
            #expect(check.isAvailable)
            #expect(check.model == "claude-b")
            #expect(check.models == ["claude-a"])
            #expect(server.requests.map(\.path) == ["/v1/models?k=v&limit=1000", "/v1/messages?k=v"])
            #expect(server.requests[1].text.contains(#""max_tokens":1,"#))
            #expect(await provider.check(model: nil, timeout: 10_000).model == "claude-a")
        }
    }

    @Test func aCheckNeedsNoList() async throws {
        let script = Script { $0.method == "GET" ? ScriptedAnswer(404, json: "{}") : ScriptedAnswer(json: AnthropicSample.hello) }
        try await withAnthropic(answers: script) { provider, _ in
            let check = await provider.check(model: "m", timeout: 10_000)
            #expect(check.isAvailable)
            #expect(check.models == nil)
            #expect(await provider.check(model: nil, timeout: 10_000).failure?.failure == .permanent)
        }
    }

    @Test func aCheckSaysWhatIsWrong() async throws {
        let refused = ScriptedAnswer(401, json: #"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#)
        try await withAnthropic(answer: refused) { provider, server in
            #expect(await provider.check(model: "m", timeout: 10_000).failure?.failure == .authentication)
            #expect(server.requests.count == 1)
        }
        let unknown = Script { $0.method == "GET" ? ScriptedAnswer(json: Self.listed) : ScriptedAnswer(404, json: "{}") }
        try await withAnthropic(answers: unknown) { provider, _ in
            #expect(await provider.check(model: "m", timeout: 10_000).failure?.failure == .permanent)
        }
    }
}
