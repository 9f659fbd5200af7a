import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct OpenAIBatchResultTests {
    private func read(_ line: String, _ kind: JobKind = .generate) throws -> BatchItemResult? {
        OpenAIBatchResult(kind: kind, url: "u", secrets: ["sk-live-0123456789"]).read(try JSONValue.parse(line))
    }

    private static func good(_ id: String, _ body: String, status: Int = 200) -> String {
        #"{"id":"batch_req_1","custom_id":"\#(id)","response":{"status_code":\#(status),"request_id":"req_1","body":\#(body)},"error":null}"#
    }

    // MARK: - Lines

    @Test func anAnswerIsReadAsALiveOne() throws {
        let result = try #require(try read(Self.good("job-1", hello)))
        #expect(result.id == "job-1")
        #expect(
            result.outcome
                == .reply(
                    ModelReply(
                        text: "Hello", finishReason: "stop", usage: Usage(inputTokens: 5, outputTokens: 2), model: "m-1",
                        requestID: "req_1",
                        calls: 1)))
    }

    @Test func aClientOfItsFormGetsTheAnswerAsItCame() async throws {
        let result = try #require(try read(Self.good("job-1", hello)))
        let body = try JSONValue.parse(hello)
        #expect(result.native == BatchItemResult.Native(form: .chat, body: body))
        try await withBatches(answers: takesBatches) { provider, _ in
            var request = item("a").request
            #expect(provider.outcome(of: result, to: request).reply?.native == nil)
            request.native = NativeRequest(form: .chat, body: "{}")
            #expect(provider.outcome(of: result, to: request).reply?.native?.form == .chat)
        }
    }

    @Test func responsesAndEmbeddingsAreAnswersToo() throws {
        let response =
            #"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"message","content":"#
            + #"[{"type":"output_text","text":"Hi"}]}],"usage":{"input_tokens":5,"output_tokens":2,"total_tokens":7}}"#
        #expect(try read(Self.good("a", response))?.outcome.reply?.text == "Hi")
        let numbers = #"{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":3}}"#
        let base64 = #"{"data":[{"index":0,"embedding":"AACAPwAAAMA="}]}"#
        for kind in [JobKind.embed, .memorize] {
            #expect(try read(Self.good("a", numbers), kind)?.outcome.reply?.embeddings == [[1, 2], [3, 4]])
            #expect(try read(Self.good("a", numbers), kind)?.outcome.reply?.usage.inputTokens == 3)
            #expect(try read(Self.good("a", base64), kind)?.outcome.reply?.embeddings == [[1, -2]])
        }
    }

    @Test(arguments: [
        (good("a", #"{"error":{"message":"secret","type":"invalid_request_error","code":null}}"#, status: 400), FailureClass.permanent),
        (good("a", #"{"error":{"message":"secret","code":"rate_limit_exceeded"}}"#, status: 429), .rateLimited),
        (good("a", #"{"error":{"message":"secret","code":"insufficient_quota"}}"#, status: 429), .quotaExhausted),
        (good("a", #"{"error":{"message":"secret"}}"#, status: 500), .retryable), (good("a", "null", status: 503), .overloaded),
        (good("a", #"{"error":{"message":"secret","code":"context_length_exceeded"}}"#, status: 400), .permanent),
        (good("a", #"{"error":{"message":"secret","code":429}}"#), .rateLimited),
        (#"{"custom_id":"a","response":null,"error":{"code":"batch_expired","message":"secret"}}"#, .expired),
        (#"{"custom_id":"a","response":null,"error":{"code":"batch_cancelled","message":"secret"}}"#, .cancelled),
        (#"{"custom_id":"a","response":null,"error":{"code":"brand_new","message":"secret"}}"#, .retryable),
        (#"{"custom_id":"a","error":"secret"}"#, .retryable),
    ])
    func errorsAreClassedAsLiveOnesAndCostNothing(line: String, expected: FailureClass) throws {
        let result = try #require(try read(line))
        let failure = try #require(result.outcome.failure)
        #expect(failure.failure == expected)
        #expect(failure.calls == 0 && !failure.isMaybePaid && failure.usage == Usage())
        // What may quote the request is kept out of the sentence.
        #expect(!failure.message.contains("secret"))
        #expect(result.remark == (line.contains("secret") ? "secret" : nil))
    }

    @Test(arguments: [
        (good("a", "{}"), FailureClass.invalidReply), (good("a", "null"), .invalidReply), (#"{"custom_id":"a"}"#, .invalidReply),
        (good("a", #"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#), .refused),
    ])
    func whatWasAnsweredIsPaid(line: String, expected: FailureClass) throws {
        let failure = try #require(try read(line)?.outcome.failure)
        #expect(failure.failure == expected)
        #expect(failure.calls == 1)
        #expect(failure.message.hasPrefix("u "))
    }

    @Test func codesAreShownAndProseIsNot() throws {
        let code = try #require(try read(Self.good("a", #"{"error":{"code":"model_not_found","message":"x"}}"#, status: 404)))
        #expect(code.outcome.failure?.message == "u answered 404 (model_not_found)")
        #expect(code.outcome.failure?.requestID == "req_1")
        let prose = try #require(
            try read(Self.good("a", #"{"error":{"code":"the prompt itself","type":"sk-live-0123456789"}}"#, status: 400)))
        #expect(prose.outcome.failure?.message == "u answered 400 (***)")
    }

    @Test func aLineWithoutANameIsNoOnes() throws {
        #expect(try read("{}") == nil)
        #expect(try read("[]") == nil)
        #expect(try read(#"{"custom_id":7}"#) == nil)
    }

    @Test func withTheRequestAtHandTheWordsAreShownWithoutIt() async throws {
        try await withBatches(key: "sk-live-0123456789", answers: .always(ScriptedAnswer(404, json: "{}"))) { provider, _ in
            let request = item("a", "The merger of Acme and Bolt is planned for the third of May.").request
            let failure = ModelFailure(.permanent, "u answered 400")
            let remark = "max_tokens is too large. The merger of Acme and Bolt is planned. sk-live-0123456789"
            let result = BatchItemResult(id: "a", outcome: .failure(failure), remark: remark)
            let shown = try #require(provider.outcome(of: result, to: request).failure)
            #expect(shown.message.hasPrefix("u answered 400: max_tokens is too large."))
            for secret in ["merger", "Acme", "sk-live"] { #expect(!shown.message.contains(secret)) }
            let reply = Outcome.reply(ModelReply(text: "x"))
            #expect(provider.outcome(of: BatchItemResult(id: "a", outcome: reply, remark: "x"), to: request) == reply)
        }
    }

    // MARK: - Files

    private static let batch = RemoteBatch(id: "b", status: .ended, createdAt: 0, sources: ["out", "err"])

    private func files(_ output: ScriptedAnswer, _ errors: ScriptedAnswer = ScriptedAnswer(body: [])) -> Script {
        Script { request in
            switch request.path {
            case "/v1/files/out/content": output
            case "/v1/files/err/content": errors
            default: ScriptedAnswer(404, json: "{}")
            }
        }
    }

    private func text(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }

    @Test func bothFilesAreReadInSlices() async throws {
        let lines = (0..<250).map { Self.good("job-\($0)", hello) }
        let errors = [Self.good("job-250", #"{"error":{}}"#, status: 500), "", Self.good("stranger", hello)]
        let script = files(ScriptedAnswer(body: text(lines), chunked: true), ScriptedAnswer(body: text(errors)))
        try await withBatches(key: "sk-12345678", answers: script) { provider, server in
            let slices = Slices()
            let ending = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(ending == nil)
            #expect(slices.sizes == [100, 100, 50, 2])
            #expect(slices.all.map(\.id) == (0...250).map { "job-\($0)" } + ["stranger"])
            #expect(slices["job-249"]?.reply?.text == "Hello")
            #expect(slices["job-250"]?.failure?.failure == .retryable)
            #expect(server.requests.allSatisfy { $0.method == "GET" && $0["authorization"] == "Bearer sk-12345678" })
        }
    }

    @Test func aBatchWithoutFilesHasNoResults() async throws {
        try await withBatches(answers: files(.hang)) { provider, server in
            let batch = RemoteBatch(id: "b", status: .ended, createdAt: 0)
            let ending = try await provider.readResults(of: batch, kind: .generate, timeout: 10_000) { _ in Issue.record("a slice") }
            #expect(ending == nil)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func longerFilesThanAnAnswerMayBeAreRead() async throws {
        let long = String(repeating: "x", count: 1 << 20)
        let body = #"{"choices":[{"message":{"content":"\#(long)"},"finish_reason":"stop"}]}"#
        let script = files(ScriptedAnswer(body: text((0..<8).map { Self.good("job-\($0)", body) })))
        try await ScriptedServer.withServer(script) { server in
            try await withTransport(.init(maxAnswerBytes: 1 << 20)) { transport in
                let provider = OpenAIProvider(name: "p", baseURL: "\(server.url)/v1", apiKey: nil, transport: transport)
                let slices = Slices()
                let ending = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 30_000) { slices.take($0) }
                #expect(ending == nil)
                // Large results come in small slices.
                #expect(slices.sizes == [4, 4])
            }
        }
    }

    @Test func whatCameBeforeACutIsHandedOn() async throws {
        let lines = text([Self.good("a", hello), Self.good("b", hello), Self.good("c", hello)])
        let endings = [
            ScriptedAnswer(body: lines, ending: .dropped(afterBytes: lines.count - 9)),
            ScriptedAnswer(body: Array(lines.dropLast(9)), chunked: true),
        ]
        for answer in endings {
            try await withBatches(answers: files(answer)) { provider, server in
                let slices = Slices()
                let failure = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
                #expect(failure?.failure == .retryable)
                #expect(failure?.isMaybePaid == false)
                #expect(slices.all.map(\.id) == ["a", "b"])
                // The other file is read all the same.
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func aLastLineNeedsNoEnd() async throws {
        let body = Array(text([Self.good("a", hello), Self.good("b", hello)]).dropLast())
        try await withBatches(answers: files(ScriptedAnswer(body: body))) { provider, _ in
            let slices = Slices()
            let ending = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(ending == nil)
            #expect(slices.all.map(\.id) == ["a", "b"])
        }
    }

    @Test func brokenLinesAreTheFailuresOfTheirItems() async throws {
        let broken = #"{"id":"x","custom_id" : "b","response":{"status_code":200,"body":{"choices":[}}"#
        try await withBatches(answers: files(ScriptedAnswer(body: text([Self.good("a", hello), broken, Self.good("c", hello)])))) {
            provider, _ in
            let slices = Slices()
            let ending = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(ending == nil)
            #expect(slices.all.map(\.id) == ["a", "b", "c"])
            let failure = try #require(slices["b"]?.failure)
            #expect(failure.failure == .invalidReply && failure.isMaybePaid && failure.calls == 1)
            #expect(failure.message.hasSuffix("a line that is not valid JSON at byte 78: unexpected byte 0x7d"))
        }
    }

    /// Half an emoji, a byte order mark or a `NaN` beside the text is no reason to lose an answer that was paid for.
    @Test func whatIsHarmlessCostsNoAnswer() async throws {
        let emoji = hello.replacing("Hello", with: #"Well \ud83d done \ud83d\ude00"#)
        let numbers = hello.replacing(#""finish_reason""#, with: #""logprobs":{"x":[NaN,-Infinity,1e999]},"finish_reason""#)
        let lines = ["\u{FEFF}" + Self.good("a", hello), Self.good("b", emoji), Self.good("c", numbers)]
        try await withBatches(answers: files(ScriptedAnswer(body: text(lines)))) { provider, _ in
            let slices = Slices()
            let ending = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(ending == nil)
            #expect(slices["a"]?.reply?.text == "Hello")
            #expect(slices["b"]?.reply?.text == "Well \u{FFFD} done 😀")
            #expect(slices["c"]?.reply?.text == "Hello")
        }
    }

    @Test func linesThatNameNoOneAreTold() async throws {
        let lines = ["garbage", #"{"custom_id":"#, #"{"custom_id":"a b"x"#, "{}", Self.good("a", hello)]
        try await withBatches(answers: files(ScriptedAnswer(body: text(lines)))) { provider, server in
            let slices = Slices()
            let failure = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(failure == ModelFailure(.invalidReply, "\(server.url)/v1 sent 4 lines of results that name no request"))
            #expect(slices.all.map(\.id) == ["a"])
        }
    }

    @Test func aFileThatIsGoneIsAFailure() async throws {
        let script = files(
            ScriptedAnswer(404, json: #"{"error":{"message":"No such File object: out"}}"#),
            ScriptedAnswer(body: text([Self.good("a", hello)])))
        try await withBatches(answers: script) { provider, server in
            let slices = Slices()
            let failure = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(failure == ModelFailure(.permanent, "\(server.url)/v1 answered 404: No such File object: out"))
            #expect(slices.all.map(\.id) == ["a"])
        }
    }

    @Test func whatTheTakerThrowsIsThrownOn() async throws {
        struct Stop: Error {}
        let lines = (0..<1_000).map { Self.good("job-\($0)", hello) }
        try await withBatches(answers: files(ScriptedAnswer(body: text(lines)))) { provider, server in
            let slices = Slices()
            await #expect(throws: Stop.self) {
                _ = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 10_000) { slice in
                    slices.take(slice)
                    if slices.all.count >= 200 { throw Stop() }
                }
            }
            #expect(slices.sizes == [100, 100])
            #expect(server.requests.count == 1)
        }
    }

    @Test func readingEndsInTimeAndWhenItIsCancelled() async throws {
        let lines = text((0..<150).map { Self.good("job-\($0)", hello) })
        let stalled = files(ScriptedAnswer(body: lines + [32], ending: .stalled(afterBytes: lines.count)))
        try await withBatches(answers: stalled) { provider, server in
            let slices = Slices()
            let late = try await provider.readResults(of: Self.batch, kind: .generate, timeout: 5_000) { slices.take($0) }
            #expect(late?.failure == .timedOut && late?.isMaybePaid == false)
            #expect(slices.all.count == 150)
            #expect(server.requests.count == 1)
            let more = Slices()
            let task = Task { try await provider.readResults(of: Self.batch, kind: .generate, timeout: 30_000) { more.take($0) } }
            try await more.came.wait(atLeast: 100)
            task.cancel()
            let cancelled = try await task.value
            #expect(cancelled?.failure == .cancelled)
            #expect(more.all.count == 100)
        }
    }
}
