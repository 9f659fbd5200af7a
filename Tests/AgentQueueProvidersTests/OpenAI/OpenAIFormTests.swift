import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport
import Testing

/// Servers that want a request written otherwise.
@Suite(.timeLimit(.minutes(1))) struct OpenAIFormTests {
    func request(_ members: JSONValue = ["max_tokens": 20]) -> ModelRequest {
        let messages = JSONValue.Member("messages", [["role": "user", "content": "How are you today?"]])
        return ModelRequest(kind: .generate, target: chat.target, body: .object([messages] + (members.members ?? [])))
    }

    /// Refuses what contains a text, and answers the rest.
    func refusing(_ text: String, _ status: Int, _ error: String, else answer: ScriptedAnswer = ScriptedAnswer(json: hello)) -> Script {
        Script { $0.text.contains(text) ? ScriptedAnswer(status, json: #"{"error":\#(error)}"#) : answer }
    }

    @Test(arguments: [
        #"{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.","code":"unsupported_parameter"}"#,
        #"{"message":"not here","param":"max_tokens","code":"unsupported_parameter"}"#,
    ])
    func theLimitsNewNameIsLearnt(error: String) async throws {
        try await withProvider(answers: refusing(#""max_tokens""#, 400, error)) { provider, server in
            for _ in 0..<2 { #expect(await provider.respond(to: request()).reply?.text == "Hello") }
            #expect(server.requests.map { $0.text.contains(#""max_completion_tokens":20"#) } == [false, true, true])
            #expect(server.requests.map { $0["idempotency-key"] } == ["key-1", "key-1-form2", "key-1"])
            // Another model may be older.
            var other = request()
            other.target = Target(provider: "scripted", model: "other")
            #expect(await provider.respond(to: other).reply != nil)
            #expect(server.requests.count == 5)
        }
    }

    @Test func aRefusalOfSomethingElseIsNotRepeated() async throws {
        let error = #"{"message":"temperature must be 1","param":"temperature","code":"unsupported_value"}"#
        try await withProvider(answers: refusing(#""max_tokens""#, 400, error)) { provider, server in
            #expect(await provider.respond(to: request()).failure?.failure == .permanent)
            #expect(server.requests.count == 1)
        }
    }

    @Test func whatIsRefusedInEitherFormIsNotLearnt() async throws {
        let script = Script { _ in ScriptedAnswer(400, json: #"{"error":"no: max_completion_tokens, stream_options, v1/responses"}"#) }
        try await withProvider(answers: script) { provider, server in
            for _ in 0..<2 { #expect(await provider.respond(to: request(), onText: { _ in }).failure?.failure == .permanent) }
            #expect(server.requests.count == 8)
        }
    }

    @Test(arguments: [
        #"{"message":"Unrecognized request argument supplied: stream_options"}"#,
        #"{"message":"bad","param":"stream_options.include_usage"}"#,
        #"{"message":"extra fields not permitted: include_usage"}"#,
    ])
    func streamOptionsAreLeftOutWhereTheyAreRefused(error: String) async throws {
        let stream = ScriptedAnswer(stream: ChatStreamTests.stream(ChatStreamTests.hello))
        try await withProvider(answers: refusing("stream_options", 400, error, else: stream)) { provider, server in
            for _ in 0..<2 {
                let told = Recorder<String>()
                #expect(await provider.respond(to: request(), onText: told.add).reply == ChatStreamTests.helloReply)
                #expect(told.text == "Hello")
            }
            #expect(server.requests.map { $0.text.contains("stream_options") } == [true, false, false])
        }
    }

    @Test(arguments: [
        (400, "This model is only supported in v1/responses and not in v1/chat/completions."),
        (404, "This is not a chat model: use the Responses API."),
    ])
    func aModelThatNeedsResponsesGetsThem(status: Int, message: String) async throws {
        let script = Script { request in
            guard request.path == "/v1/responses" else { return ScriptedAnswer(status, json: #"{"error":{"message":"\#(message)"}}"#) }
            return ScriptedAnswer(json: ResponsesTests.response)
        }
        try await withProvider(answers: script) { provider, server in
            for _ in 0..<2 {
                let reply = try #require(await provider.respond(to: request()).reply)
                #expect(reply.text == "Hello")
                #expect(reply.usage == Usage(inputTokens: 5, outputTokens: 2, cacheReadTokens: 3))
            }
            #expect(server.requests.map(\.path) == ["/v1/chat/completions", "/v1/responses", "/v1/responses"])
            #expect(
                server.requests[1].text
                    == #"{"model":"m","input":[{"role":"user","content":"How are you today?"}],"max_output_tokens":20,"store":false}"#)
        }
    }

    @Test func anAPIThatIsChosenIsTheOnlyOne() async throws {
        let script = Script { request in
            if request.path == "/v1/responses" { return ScriptedAnswer(json: ResponsesTests.response) }
            return ScriptedAnswer(404, json: #"{"error":"only in v1/responses"}"#)
        }
        try await ScriptedServer.withServer(script) { server in
            try await withTransport { transport in
                for (api, path) in [(OpenAIAPI.chat, "/v1/chat/completions"), (.responses, "/v1/responses")] {
                    let provider = OpenAIProvider(name: "p", baseURL: "\(server.url)/v1", apiKey: nil, api: api, transport: transport)
                    #expect(await provider.respond(to: chat).reply?.text == (api == .chat ? nil : "Hello"))
                    #expect(server.requests.last?.path == path)
                }
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func responsesAreStreamedToo() async throws {
        let script = Script { _ in ScriptedAnswer(stream: ResponsesTests.stream) }
        try await ScriptedServer.withServer(script) { server in
            try await withTransport { transport in
                let provider = OpenAIProvider(name: "p", baseURL: server.url, apiKey: nil, api: .responses, transport: transport)
                let told = Recorder<String>()
                let reply = try #require(await provider.respond(to: chat, onText: told.add).reply)
                #expect(told.all.filter { !$0.isEmpty }.joined() == "Hello")
                #expect(reply.text == "Hello")
                #expect(reply.isComplete)
                #expect(server.requests[0].text.contains(#""stream":true"#))
                #expect(!server.requests[0].text.contains("stream_options"))
            }
        }
    }

    static let vectors = #"{"data":[{"index":0,"embedding":"AACAPwAAAMA="}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#
    static let lists = #"{"data":[{"index":0,"embedding":[1,-2]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#

    @Test(arguments: [vectors, lists]) func vectorsAreAskedForInBase64(body: String) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, server in
            for _ in 0..<2 { #expect(await provider.respond(to: embedding("a")).reply?.embeddings == [[1, -2]]) }
            #expect(server.requests.map { $0.text.contains(#""encoding_format":"base64""#) } == [true, true])
        }
    }

    @Test(arguments: [
        (400, #"{"error":{"message":"Input should be 'float'","param":"encoding_format"}}"#, 1, 3),
        (422, #"{"detail":[{"loc":["body","encoding_format"],"msg":"unexpected value"}]}"#, 1, 3),
        (500, #"{"error":{"message":"base64 is not implemented"}}"#, 1, 3),
        (200, #"{"data":[{"index":0,"embedding":"%%%"}],"usage":{"prompt_tokens":3}}"#, 2, 6),
    ])
    func whereBase64DoesNotWorkNumbersDo(status: Int, body: String, calls: Int, tokens: Int) async throws {
        let script = Script { $0.text.contains("base64") ? ScriptedAnswer(status, json: body) : ScriptedAnswer(json: Self.lists) }
        try await withProvider(answers: script) { provider, server in
            let reply = try #require(await provider.respond(to: embedding("a")).reply)
            #expect(reply.embeddings == [[1, -2]])
            #expect(reply.calls == calls)
            #expect(reply.usage.inputTokens == tokens)
            #expect(await provider.respond(to: embedding("a")).reply?.calls == 1)
            #expect(server.requests.map { $0.text.contains("base64") } == [true, false, false])
        }
    }

    @Test func anotherFaultIsNoReasonToAskAgain() async throws {
        try await withProvider(answer: ScriptedAnswer(400, json: #"{"error":"too long"}"#)) { provider, server in
            #expect(await provider.respond(to: embedding("a")).failure?.failure == .permanent)
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [
        #"{"data":[]}"#, #"{"data":[{"embedding":"AACAPwAAAMA="},{"embedding":"AACAPwAAAMA="}]}"#,
        #"{"data":[{"index":7,"embedding":"AACAPwAAAMA="}]}"#,
    ])
    func wrongCountsAndIndexesAreNoReasonToAskAgain(body: String) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, server in
            #expect(await provider.respond(to: embedding("a")).failure?.failure == .invalidReply)
            #expect(server.requests.count == 1)
        }
    }

    @Test func askingAgainCostsBothTimes() async throws {
        let cost = #""usage":{"prompt_tokens":3,"cost":0.25}}"#
        let script = Script {
            ScriptedAnswer(json: #"{"data":[{"embedding":\#($0.text.contains("base64") ? #""%%%""# : "[1]")}],"# + cost)
        }
        try await withProvider(answers: script) { provider, _ in
            let reply = try #require(await provider.respond(to: embedding("a")).reply)
            #expect(reply.cost == 0.5)
            #expect(reply.calls == 2)
        }
    }

    @Test func aFailureCostsWhatItsCallsCost() async throws {
        let turn = Counter()
        let script = Script { _ in
            turn.add()
            return turn.count == 1 ? ScriptedAnswer(json: Self.vectors) : ScriptedAnswer(json: #"{"data":[],"usage":{"prompt_tokens":4}}"#)
        }
        try await withProvider(maxEmbedInputs: 1, answers: script) { provider, _ in
            let failure = try #require(await provider.respond(to: embedding("a", "b")).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.calls == 2)
            #expect(failure.usage.inputTokens == 7)
        }
    }
}
