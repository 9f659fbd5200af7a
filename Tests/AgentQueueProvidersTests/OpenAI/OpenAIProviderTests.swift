import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct OpenAIProviderTests {
    @Test func aChatGoesOutAsItIsAndComesBack() async throws {
        let answer = ScriptedAnswer(headers: [("x-request-id", "r-1")], json: hello)
        try await withProvider(key: " sk-1234 \n", answer: answer) { provider, server in
            let request = ModelRequest(
                kind: .generate, target: Target(provider: "p", model: "org/m"),
                body: ["zeta": 12_345_678_901_234_567, "messages": [], "sample": 4, "stream": true, "model": "x", "temperature": 0.5])
            let reply = try #require(await provider.respond(to: request).reply)
            #expect(reply.text == "Hello")
            #expect(reply.requestID == "r-1")
            let sent = try #require(server.requests.first)
            #expect(sent.method == "POST")
            #expect(sent.path == "/v1/chat/completions")
            #expect(sent.text == #"{"model":"org/m","zeta":12345678901234567,"messages":[],"temperature":0.5}"#)
            #expect(sent["authorization"] == "Bearer sk-1234")
            #expect(sent["content-type"] == "application/json")
            #expect(sent["idempotency-key"] == "key-1")
        }
    }

    @Test func withoutAKeyNoneIsSent() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello)) { provider, server in
            #expect(await provider.respond(to: chat).reply != nil)
            #expect(server.requests[0]["authorization"] == nil)
        }
    }

    @Test func aPasswordInTheURLSignsInAndIsNotShown() async throws {
        try await ScriptedServer.withServer(.always(ScriptedAnswer(401, json: #"{"error":"pass1234 is wrong"}"#))) { server in
            try await withTransport { transport in
                let url = "http://user:pass1234@127.0.0.1:\(server.port)/v1?v=2"
                let provider = OpenAIProvider(name: "p", baseURL: url, apiKey: nil, transport: transport)
                let failure = try #require(await provider.respond(to: chat).failure)
                #expect(failure.message == "http://127.0.0.1:\(server.port)/v1 answered 401: *** is wrong")
                #expect(server.requests[0]["authorization"] == "Basic dXNlcjpwYXNzMTIzNA==")
                #expect(server.requests[0].path == "/v1/chat/completions?v=2")
                #expect(provider.identity == "openai http://127.0.0.1:\(server.port)/v1")
            }
        }
    }

    @Test func severalChatsRunAtOnce() async throws {
        let gate = Gate()
        try await withProvider(answer: ScriptedAnswer(json: hello, after: gate)) { provider, server in
            async let outcomes = provider.respond(to: [chat, chat, chat], CallOptions(timeout: 10_000, idempotencyKey: "k"))
            let requests = try await server.waitForRequests(3)
            gate.open()
            #expect(await outcomes.compactMap(\.reply?.text) == ["Hello", "Hello", "Hello"])
            #expect(Set(requests.compactMap { $0["idempotency-key"] }) == ["k-0", "k-1", "k-2"])
        }
    }

    @Test func failuresAreClassedAndSayWhen() async throws {
        let answer = ScriptedAnswer(
            429, headers: [("retry-after-ms", "1500"), ("x-request-id", "r-9")],
            json: #"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#)
        try await withProvider(answer: answer) { provider, server in
            let failure = await provider.respond(to: chat).failure
            #expect(
                failure
                    == ModelFailure(
                        .rateLimited, "\(server.url)/v1 answered 429 (rate_limit_exceeded): slow down", retryAfter: 1_500,
                        requestID: "r-9"))
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [
        (#"{"error":{"message":"down","code":502}}"#, FailureClass.retryable), (#"{"error":"x","choices":[]}"#, .retryable),
        (#"{"choices":[{"error":{"code":429,"message":"slow"},"message":{"content":""},"finish_reason":"error"}]}"#, .rateLimited),
        (#"{"object":"error","message":"long","type":"BadRequestError","code":400}"#, .permanent), (#"{"choices":[]}"#, .invalidReply),
        ("", .invalidReply), ("{\"choices\":[", .invalidReply), ("data: {}", .invalidReply), (#"{"a":NaN}"#, .invalidReply),
        (#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"content_filter"}]}"#, .refused),
    ])
    func goodStatusesWithBadBodiesAreFailures(body: String, expected: FailureClass) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, _ in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == expected)
            // What is no error of the server's was an answer, and charged for.
            #expect(failure.calls == ([.invalidReply, .refused].contains(expected) ? 1 : 0))
        }
    }

    @Test(arguments: ["", "{\"choices\":["]) func whatCannotBeReadWasMaybePaid(body: String) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, _ in
            #expect(await provider.respond(to: chat).failure?.isMaybePaid == true)
            // A list of models is for nothing.
            let listed = await provider.models()
            let failure = try #require(throws: ModelFailure.self) { try listed.get() }
            #expect(failure.failure == .invalidReply)
            #expect(!failure.isMaybePaid)
            #expect(failure.calls == 0)
        }
    }

    @Test func whatTheHeadersSayOfLimitsIsKept() async throws {
        let limits = ObservedLimits(requests: .init(limit: 60, remaining: 59), tokens: .init(remaining: 10, resetAfter: 1_000))
        let headers = [
            ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-remaining-tokens", "10"),
            ("x-ratelimit-reset-tokens", "1s"),
        ]
        for (status, body) in [(200, hello), (200, "{}"), (200, "{"), (200, #"{"error":"x"}"#), (429, "{}"), (500, "")] {
            try await withProvider(answer: ScriptedAnswer(status, headers: headers, json: body)) { provider, _ in
                let outcome = await provider.respond(to: chat)
                #expect((outcome.reply?.limits ?? outcome.failure?.limits) == limits, "\(status) \(body)")
            }
        }
    }

    @Test func leadingBlanksAreLegal() async throws {
        try await withProvider(answer: ScriptedAnswer(json: "   \n " + hello)) { provider, _ in
            #expect(await provider.respond(to: chat).reply?.text == "Hello")
        }
    }

    @Test func neitherKeyNorPromptIsInAnErrorText() async throws {
        let key = "sk-live-0123456789abcdefghij"
        try await withProvider(
            key: key,
            answers: Script { request in
                let words = "Bad: \(request["authorization"] ?? "") \(request.text)"
                return ScriptedAnswer(400, json: JSONValue.object([.init("error", .string(words))]).text)
            }
        ) { provider, _ in
            let request = ModelRequest(
                kind: .generate, target: chat.target,
                body: ["messages": [["role": "user", "content": "The merger of Acme and Bolt is planned for the third of May."]]])
            let message = try #require(await provider.respond(to: request).failure?.message)
            #expect(!message.contains("sk-live"))
            #expect(!message.contains("0123456789"))
            #expect(!message.contains("merger"))
            #expect(!message.contains("Acme"))
            #expect(message.contains("Bearer ***"))
        }
    }

    @Test func aKeyThatIsNoHeaderValueIsNotShown() async throws {
        try await withProvider(key: "sk-abc\ndef12345", answer: ScriptedAnswer(json: hello)) { provider, server in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .permanent)
            #expect(!failure.message.contains("sk-abc"))
            #expect(server.requests.isEmpty)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let answer = ScriptedAnswer(307, headers: [("location", "/elsewhere")], json: "")
        try await withProvider(key: "sk-1234", answer: answer) { provider, server in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .permanent)
            #expect(failure.message.contains("redirect"))
            #expect(server.requests.count == 1)
        }
    }

    @Test func embeddingsOfSeveralRequestsAreOneCall() async throws {
        try await withProvider(answers: embedsLengths) { provider, server in
            let requests = [embedding("a"), embedding("bbb", "cc"), embedding("dddd", kind: .memorize)]
            let outcomes = await provider.respond(to: requests, CallOptions(timeout: 10_000, idempotencyKey: "k"))
            #expect(outcomes.map { $0.reply?.embeddings } == [[[1, 0]], [[3, 1], [2, 2]], [[4, 3]]])
            #expect(outcomes.map { $0.reply?.usage.inputTokens } == [1, 5, 4])
            // One call, counted once.
            #expect(outcomes.map { $0.reply?.calls } == [1, 0, 0])
            #expect(outcomes[0].reply?.model == "e")
            #expect(server.requests.map(\.path) == ["/v1/embeddings"])
            #expect(server.requests[0].text == #"{"model":"m","input":["a","bbb","cc","dddd"],"encoding_format":"base64"}"#)
        }
    }

    @Test func tooManyInputsTakeSeveralCalls() async throws {
        try await withProvider(maxEmbedInputs: 2, answers: embedsLengths) { provider, server in
            let requests = [embedding("a", "bb", "ccc"), embedding("dddd"), embedding()]
            let outcomes = await provider.respond(to: requests, CallOptions(timeout: 10_000, idempotencyKey: "k"))
            #expect(outcomes[0].reply?.embeddings == [[1, 0], [2, 1], [3, 0]])
            #expect(outcomes[0].reply?.usage.inputTokens == 6)
            #expect(outcomes[1].reply?.embeddings == [[4, 1]])
            #expect(outcomes.map { $0.reply?.calls } == [2, 0, nil])
            #expect(outcomes[2].failure?.failure == .permanent)
            #expect(server.requests.count == 2)
        }
    }

    @Test func aFailedCallFailsAllInIt() async throws {
        let answer = ScriptedAnswer(503, json: #"{"error":{"code":503,"message":"Loading model"}}"#)
        try await withProvider(answer: answer) { provider, server in
            let outcomes = await provider.respond(to: [embedding("a"), embedding("b")], CallOptions(timeout: 10_000, idempotencyKey: "k"))
            #expect(outcomes.map { $0.failure?.failure } == [.overloaded, .overloaded])
            #expect(server.requests.count == 1)
        }
    }

    @Test func afterARateLimitNoFurtherCallIsMade() async throws {
        try await withProvider(maxEmbedInputs: 1, answers: .always(ScriptedAnswer(429, json: "{}"))) { provider, server in
            let outcomes = await provider.respond(to: [embedding("a"), embedding("b")], CallOptions(timeout: 10_000, idempotencyKey: "k"))
            #expect(outcomes.map { $0.failure?.failure } == [.rateLimited, .rateLimited])
            #expect(server.requests.count == 1)
        }
    }

    @Test func theWrongNumberOfEmbeddingsIsInvalid() async throws {
        try await withProvider(answer: ScriptedAnswer(json: #"{"data":[{"index":0,"embedding":[1]}]}"#)) { provider, _ in
            let outcomes = await provider.respond(to: [embedding("a"), embedding("b")], CallOptions(timeout: 10_000, idempotencyKey: "k"))
            #expect(outcomes.map { $0.failure?.failure } == [.invalidReply, .invalidReply])
            #expect(outcomes.map { $0.failure?.calls } == [1, 0])
        }
    }

    @Test func aRequestThatIsNoObjectIsRefusedHere() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello)) { provider, server in
            let request = ModelRequest(kind: .generate, target: chat.target, body: [])
            #expect(await provider.respond(to: request).failure?.failure == .permanent)
            #expect(await provider.respond(to: [], CallOptions(timeout: 1)).isEmpty)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func modelsAreListed() async throws {
        let answer = ScriptedAnswer(json: #"{"data":[{"id":"a"},{"id":"b"},{}],"object":"list"}"#)
        try await withProvider(answer: answer) { provider, server in
            #expect(await provider.models() == .success(["a", "b"]))
            #expect(server.requests[0].method == "GET")
            #expect(server.requests[0].path == "/v1/models")
        }
    }

    @Test func aCheckAsksTheModelOneSmallThing() async throws {
        let script = Script { $0.method == "GET" ? ScriptedAnswer(404, json: "{}") : ScriptedAnswer(json: hello) }
        try await withProvider(answers: script) { provider, server in
            let check = await provider.check(model: "m", timeout: 60_000)
            #expect(check.isAvailable)
            #expect(check.models == nil)
            try #require(server.requests.count == 2)
            #expect(server.requests[1].text.contains(#""max_tokens":16"#))
        }
    }

    @Test func aCheckFindsOutThatAModelEmbeds() async throws {
        try await withProvider(
            answers: Script { request in
                guard request.path.hasSuffix("/embeddings") else { return ScriptedAnswer(404, json: #"{"error":"not found"}"#) }
                return ScriptedAnswer(json: #"{"data":[{"embedding":[1,2]}]}"#)
            }
        ) { provider, server in
            #expect(await provider.check(model: "m", timeout: 60_000).isAvailable)
            // A body that the server left unread must not become the next request.
            #expect(server.requests.map(\.connection) == [1, 2, 3])
            #expect(await provider.check(model: "m", kind: .generate, timeout: 60_000).failure?.failure == .permanent)
        }
    }

    @Test func aCheckOfNoModelInParticularAsksTheFirstListed() async throws {
        let script = Script { ScriptedAnswer(json: $0.method == "GET" ? #"{"data":[{"id":""},{"id":"one"},{"id":"two"}]}"# : hello) }
        try await withProvider(answers: script) { provider, server in
            let check = await provider.check(model: nil, timeout: 60_000)
            #expect(check.isAvailable)
            #expect(check.model == "one")
            #expect(check.models == ["", "one", "two"])
            #expect(server.requests.last?.text.contains(#""model":"one""#) == true)
        }
    }

    @Test(arguments: [#"{"data":[]}"#, "{}"]) func aCheckOfNoModelNeedsAList(body: String) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, server in
            #expect(await provider.check(model: nil, timeout: 60_000).isAvailable == false)
            #expect(server.requests.count == 1)
        }
    }

    @Test func aCheckSaysWhyNot() async throws {
        let answer = ScriptedAnswer(401, json: #"{"error":{"message":"no","code":"invalid_api_key"}}"#)
        try await withProvider(key: "sk-12345678", answer: answer) { provider, server in
            let check = await provider.check(model: "m", timeout: 60_000)
            #expect(check.reason == "\(server.url)/v1 answered 401 (invalid_api_key): no")
            #expect(server.requests.count == 1)
        }
    }
}
