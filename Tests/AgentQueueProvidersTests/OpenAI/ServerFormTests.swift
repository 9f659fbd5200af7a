import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport
import Testing

/// Answers as servers really send them, over a real connection: no text may be lost, and no broken answer may count as whole.
@Suite(.timeLimit(.minutes(1))) struct ServerFormTests {
    struct Form: Sendable, CustomTestStringConvertible {
        var name: String
        var stream: String
        var text: String
        var finishReason: String? = "stop"
        var usage = Usage()
        var reasoning: String?

        var testDescription: String { name }
    }

    private static func delta(_ content: String, _ reason: String = "null", _ more: String = "") -> String {
        #"{"choices":[{"index":0,"delta":{"content":\#(content)},"finish_reason":\#(reason)\#(more)}]}"#
    }

    private static let end = #"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}"#

    static let forms = [
        Form(
            name: "halves of an emoji in two chunks",
            stream: ChatStreamTests.stream([delta(#""Well done \ud83d""#), delta(#""\ude00 bye""#), end, "[DONE]"]), text: "Well done 😀 bye"
        ),
        Form(
            name: "halves of an emoji with an empty chunk between them",
            stream: ChatStreamTests.stream([delta(#""\ud83d""#), delta(#""""#), delta("null"), delta(#""\ude00""#), end]), text: "😀"),
        Form(
            name: "half an emoji that stays one", stream: ChatStreamTests.stream([delta(#""a\ud83d""#), delta(#""b""#), end, "[DONE]"]),
            text: "a\u{FFFD}b"),
        Form(
            name: "half an emoji at the end", stream: ChatStreamTests.stream([delta(#""a\ud83d""#), end, "[DONE]"]), text: "a\u{FFFD}"),
        Form(
            name: "vLLM: a logarithm of 0",
            stream: ChatStreamTests.stream([
                delta(#""No""#), delta(#"", never""#, "null", #","logprobs":{"content":[{"token":"never","logprob":-Infinity}]}"#), end,
                "[DONE]",
            ]), text: "No, never"),
        Form(
            name: "NaN and a number out of range",
            stream: ChatStreamTests.stream([#"{"x":NaN,"y":1e999,"# + delta(#""a""#).dropFirst(), end]),
            text: "a"),
        Form(
            name: "a key twice",
            stream: ChatStreamTests.stream([#"{"choices":[{"index":0,"delta":{"content":"a","content":"b","content":null}}]}"#, end]),
            text: "b"),
        Form(name: "a byte order mark before each chunk", stream: "\u{FEFF}data: \u{FEFF}\(delta(#""a""#))\n\ndata: \(end)\n\n", text: "a"),
        Form(name: "CR LF, and no space", stream: "data:\(delta(#""a""#))\r\n\r\ndata:\(end)\r\n\r\ndata:[DONE]\r\n\r\n", text: "a"),
        Form(
            name: "no blank lines", stream: "data: \(delta(#""a""#))\ndata: \(delta(#""b""#))\ndata: \(end)\ndata: [DONE]\n", text: "ab"),
        Form(
            name: "keep-alives of all kinds",
            stream: ": OPENROUTER PROCESSING\n\ndata: ping\n\ndata: [PING]\n\ndata:\n\nevent: ping\ndata: {}\n\nretry: 5\n\n"
                + ChatStreamTests.stream([delta(#""a""#), end, "[DONE]"]), text: "a"),
        Form(
            name: "Azure: a first chunk without choices, and counts in a last one",
            stream: ChatStreamTests.stream([
                #"{"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#,
                delta(#""a""#, "null", #","content_filter_results":{},"logprobs":null"#), end,
                #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#, "[DONE]",
            ]), text: "a", usage: Usage(inputTokens: 5, outputTokens: 2)),
        Form(
            name: "Ollama: an empty reason in every chunk but the last",
            stream: ChatStreamTests.stream([delta(#""a""#, #""""#), delta(#""b""#, #""""#), end, "[DONE]"]), text: "ab"),
        Form(
            name: "KoboldCpp: null as a text",
            stream: ChatStreamTests.stream([delta(#""a""#, #""null""#), delta(#""b""#, #""null""#), end, "[DONE]"]), text: "ab"),
        Form(name: "an end mark, and no reason", stream: ChatStreamTests.stream([delta(#""a""#), "[DONE]"]), text: "a", finishReason: nil),
        Form(
            name: "Mistral: content in parts",
            stream: ChatStreamTests.stream([
                delta(#"[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"a\ud83d"}]"#),
                delta(#"[{"type":"text","text":"\ude00"}]"#), end,
            ]), text: "a😀"),
        Form(
            name: "DeepSeek: thinking first",
            stream: ChatStreamTests.stream([
                #"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Hm \ud83d"}}],"usage":null}"#,
                #"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"\ude00"}}],"usage":null}"#, delta(#""a""#), end,
            ]), text: "a", reasoning: "Hm 😀"),
        Form(
            name: "xAI: counts that grow, thinking beside the completion",
            stream: ChatStreamTests.stream([
                #"{"usage":{"prompt_tokens":21,"completion_tokens":0,"total_tokens":21},"# + delta(#""a""#).dropFirst(), end,
                #"{"choices":[],"usage":{"prompt_tokens":21,"completion_tokens":5,"total_tokens":86}}"#, "[DONE]",
            ]), text: "a", usage: Usage(inputTokens: 21, outputTokens: 65)),
        Form(
            name: "Moonshot: counts in the choice",
            stream: ChatStreamTests.stream([
                delta(#""a""#, #""stop""#, #","usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}"#), "[DONE]",
            ]), text: "a", usage: Usage(inputTokens: 5, outputTokens: 2)),
        Form(
            name: "Groq: counts of its own, and empty ones",
            stream: ChatStreamTests.stream([
                delta(#""a""#), #"{"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}},"# + end.dropFirst(),
                #"{"choices":[],"usage":{}}"#, "[DONE]",
            ]), text: "a", usage: Usage(inputTokens: 5, outputTokens: 2)),
        Form(
            name: "what cannot be read behind the end",
            stream: ChatStreamTests.stream([delta(#""a""#), end, #"{"choices":[],"usage":{"prompt_tokens":"#]), text: "a"),
    ]

    @Test(arguments: forms) func noTextIsLost(form: Form) async throws {
        try await withProvider(answer: ScriptedAnswer(stream: form.stream)) { provider, _ in
            let told = Recorder<String>()
            let outcome = await provider.respond(to: chat, onText: told.add)
            let reply = try #require(outcome.reply, "\(outcome)")
            #expect(reply.text == form.text)
            // The half of a character that never came is only known to be one at the end.
            #expect(told.text == form.text || told.text + "\u{FFFD}" == form.text)
            #expect(reply.finishReason == form.finishReason)
            #expect(reply.usage == form.usage)
            #expect(reply.reasoning == form.reasoning)
            #expect(reply.isComplete == (form.finishReason == "stop"))
        }
    }

    /// A part of the text may be lost with an event that cannot be read: the attempt fails, says where and why, and keeps what came.
    @Test(
        arguments: [
            (#"{"choices":[{"index":0,"delta":{"content":"los"#, "event 2 is not valid JSON at byte 44: a string without its end"),
            (#"{"choices":[{"index":0,"delta":{"content":"lost"}}"#, "event 2 is not valid JSON at byte 51: a list needs ',' or ']' here"),
            (#"t":{"content":"lost"}}]}"#, "event 2 is not valid JSON at byte 2: unknown word"),
            (#"{"choices":[{"delta":{'content':'lost'}}]}"#, "event 2 is not valid JSON at byte 23: an object needs a key here"),
            (#"{"choices":[]}{"choices":[]}"#, "event 2 is not valid JSON at byte 15: something follows the value"),
        ])
    func whatMayLoseTextFails(chunk: String, words: String) async throws {
        let text = ChatStreamTests.stream([Self.delta(#""a""#), chunk, Self.delta(#""b""#), Self.end, "[DONE]"])
        try await withProvider(answer: ScriptedAnswer(stream: text, headers: [("x-request-id", "r-1")])) { provider, server in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.message == "\(server.url)/v1 sent a stream whose \(words)")
            #expect(failure.partialText == "a")
            #expect(failure.isMaybePaid)
            #expect(failure.requestID == "r-1")
        }
    }

    /// Whatever the chunks say, a stream that only stops is broken.
    @Test(arguments: ["null", #""""#, #""null""#, #""NULL""#, #""None""#, "false"])
    func aStreamWithoutAFinishIsBroken(reason: String) async throws {
        for rest in ["", #"data: {"choices":[{"index":0,"delta":{"content":" lo"#] {
            let text = ChatStreamTests.stream([Self.delta(#""The answer is for""#, reason)]) + rest
            try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, server in
                let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
                #expect(failure.failure == .retryable)
                #expect(failure.message == "\(server.url)/v1 ended its stream before the answer was whole")
                #expect(failure.partialText == "The answer is for")
            }
        }
    }

    @Test func anAnswerCutBeforeAnyTextFails() async throws {
        let text = ChatStreamTests.stream([
            #"{"choices":[{"index":0,"delta":{"content":"","reasoning_content":"Hm"},"finish_reason":"length"}]}"#,
            #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":16,"total_tokens":21}}"#, "[DONE]",
        ])
        try await withProvider(answer: ScriptedAnswer(stream: text)) { provider, server in
            let failure = try #require(await provider.respond(to: chat, onText: { _ in }).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.message == "\(server.url)/v1 spent all 16 output tokens on reasoning and wrote no text: raise max_tokens")
            #expect(failure.usage == Usage(inputTokens: 5, outputTokens: 16))
        }
    }

    @Test func toFindOutWhetherAModelAnswersThatIsEnough() async throws {
        let body = #"{"choices":[{"message":{"content":"","reasoning":"Hm"},"finish_reason":"length"}]}"#
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, _ in
            #expect(await provider.check(model: "m", timeout: 10_000).isAvailable)
            #expect(await provider.respond(to: chat).failure?.failure == .invalidReply)
        }
    }

    // MARK: Whole answers

    @Test(
        arguments: [
            (
                #"{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"No"},"#
                    + #""logprobs":{"content":[{"token":"No","logprob":-Infinity}]},"finish_reason":"stop"}]}"#, "No"
            ), ("\u{FEFF}" + hello, "Hello"), (hello.replacing("Hello", with: #"a\ud83d b"#), "a\u{FFFD} b"),
            (hello.replacing("Hello", with: "two\nlines"), "two\nlines"), (hello.replacing("Hello", with: #"\(x\)"#), #"\(x\)"#),
            (hello.replacing(#""id":"c-1""#, with: #""id":"c-0","id":"c-1","n":1e400"#), "Hello"),
        ])
    func aPaidAnswerIsNotThrownAway(body: String, text: String) async throws {
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, _ in
            let outcome = await provider.respond(to: chat)
            #expect(outcome.reply?.text == text, "\(outcome)")
            #expect(outcome.reply?.isComplete == true)
        }
    }

    @Test func anAnswerThatIsCutSaysWhereAndWhy() async throws {
        let cut = #"{"choices":[{"message":{"content":"los"#
        try await withProvider(answer: ScriptedAnswer(json: cut)) { provider, server in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.message == "\(server.url)/v1 answered 200 with what is not valid JSON at byte 36: a string without its end")
            #expect(failure.isMaybePaid)
        }
    }

    @Test func fractionsAreCounted() async throws {
        let usage = #""usage":{"prompt_tokens":37.25,"completion_tokens":2,"total_tokens":39.25}}"#
        let body = #"{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}],"# + usage
        try await withProvider(answer: ScriptedAnswer(json: body)) { provider, _ in
            #expect(await provider.respond(to: chat).reply?.usage == Usage(inputTokens: 37, outputTokens: 2))
        }
    }

    /// Gemini's answer to a wrong key, which concerns the provider and not the job.
    @Test(arguments: [false, true]) func aRefusedKeyIsOneWhateverTheStatus(streams: Bool) async throws {
        let body =
            #"[{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT", "#
            + #""details": [{"reason": "API_KEY_INVALID"}]}}]"#
        try await withProvider(answer: ScriptedAnswer(400, json: body)) { provider, server in
            let onText: (@Sendable (String) -> Void)? = if streams { { _ in } } else { nil }
            let failure = try #require(await provider.respond(to: chat, onText: onText).failure)
            #expect(failure.failure == .authentication)
            #expect(failure.scope == .provider)
            #expect(
                failure.message
                    == "\(server.url)/v1 answered 400 (API_KEY_INVALID): API key not valid. Please pass a valid API key.")
            #expect(!failure.isMaybePaid && failure.calls == 0)
        }
    }
}
