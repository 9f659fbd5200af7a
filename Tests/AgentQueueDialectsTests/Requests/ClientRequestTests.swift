import AgentQueueDialects
import AgentQueueModel
import Testing

/// What a client's request must be, in its own dialect.
@Suite struct ClientRequestTests {
    static func request(
        _ form: RequestForm, _ text: String, for target: RequestForm? = nil, _ unsupported: ClientRequest.Unsupported = .refuse,
        betas: [String] = []
    ) throws -> ClientRequest {
        try ClientRequest(form: form, body: Array(text.utf8), betas: betas, unsupported: unsupported, target: target)
    }

    static func fault(
        _ form: RequestForm, _ text: String, for target: RequestForm? = nil, _ unsupported: ClientRequest.Unsupported = .refuse
    ) -> RequestError? {
        do {
            _ = try request(form, text, for: target, unsupported)
            return nil
        } catch {
            return error as? RequestError
        }
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, "model"), (#"{"model":1,"messages":[]}"#, "model"), (#"{"model":"m"}"#, "messages"),
        (#"{"model":"m","messages":"hi"}"#, "messages"), (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":[1]}"#, "messages[0]"), (#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role"),
        (#"{"model":"m","messages":[{"role":"bot","content":"x"}]}"#, "messages[0].role"),
        (#"{"model":"m","messages":[{"role":"user","content":3}]}"#, "messages[0].content"),
        (#"{"model":"m","messages":[{"role":"user"}]}"#, "messages[0].content"),
        (#"{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}"#, "messages[0].content[0]"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"}],"n":0}"#, "n"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"warm"}"#, "temperature"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"}"#, "stream"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"}],"stop":[1]}"#, "stop"),
        (#"{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{}}"#, "response_format.type"),
        (
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"thing"}}}}"#,
            "response_format.json_schema.schema"
        ),
    ]) func aFaultInAChatNamesItsMember(text: String, param: String) {
        let fault = Self.fault(.chat, text, for: .chat)
        #expect(fault?.status == 400 && fault?.code == nil)
        #expect(fault?.param == param)
    }

    @Test(arguments: [
        (#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#, "max_tokens"),
        (#"{"model":"m","max_tokens":1.5,"messages":[{"role":"user","content":"x"}]}"#, "max_tokens"),
        (#"{"model":"m","max_tokens":9,"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].role"),
        (#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":null}]}"#, "messages[0].content"),
        (#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"system":{}}"#, "system"),
        (#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"stop_sequences":"x"}"#, "stop_sequences"),
    ]) func aFaultInMessagesNamesItsMember(text: String, param: String) {
        #expect(Self.fault(.messages, text, for: .messages)?.param == param)
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, "input"), (#"{"model":"m","input":7}"#, "input"),
        (#"{"model":"m","input":[{"content":"x"}]}"#, "input[0].role"),
        (#"{"model":"m","input":"x","max_output_tokens":0}"#, "max_output_tokens"),
        (#"{"model":"m","input":"x","previous_response_id":5}"#, "previous_response_id"),
    ]) func aFaultInAResponseNamesItsMember(text: String, param: String) {
        #expect(Self.fault(.responses, text, for: .responses)?.param == param)
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, "input"), (#"{"model":"m","input":[]}"#, "input"), (#"{"model":"m","input":""}"#, "input"),
        (#"{"model":"m","input":["a",1]}"#, "input"), (#"{"model":"m","input":[[1],["a"]]}"#, "input"),
        (#"{"model":"m","input":"x","encoding_format":"hex"}"#, "encoding_format"),
        (#"{"model":"m","input":"x","dimensions":0}"#, "dimensions"),
    ]) func aFaultInEmbeddingsNamesItsMember(text: String, param: String) {
        #expect(Self.fault(.embeddings, text, for: .embeddings)?.param == param)
    }

    @Test func tooManyInputsAreRefused() {
        let inputs = repeatElement(#""x""#, count: JobLimits.maxEmbedInputs + 1).joined(separator: ",")
        #expect(Self.fault(.embeddings, #"{"model":"m","input":[\#(inputs)]}"#, for: .embeddings)?.param == "input")
    }

    @Test func whatReadersWouldReadDifferentlyIsRefused() {
        let twice = #"{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}"#
        #expect(Self.fault(.chat, twice, for: .chat)?.message.contains("stands twice") == true)
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        #expect(Self.fault(.chat, #"{"model":"m","messages":[{"role":"user","content":"a"}],"x":\#(deep)}"#)?.status == 400)
        #expect(Self.fault(.chat, "[]")?.message == "the body must be a JSON object, not a list")
        #expect(Self.fault(.chat, "{")?.status == 400)
    }

    @Test func theModelIsReadWithoutTheRest() throws {
        #expect(try ClientRequest.model(of: Array(#"{"messages":[{"model":"x"}],"model":"a/b"}"#.utf8)) == "a/b")
        #expect(throws: RequestError.self) { try ClientRequest.model(of: Array(#"{"model":""}"#.utf8)) }
    }

    @Test func whatIsAboutTheAnswerIsRead() throws {
        let chat = try Self.request(
            .chat,
            #"{"model":"m","messages":[{"role":"user","content":"x"}],"n":3,"stream":true,"stream_options":{"include_usage":true},"service_tier":"flex","metadata":{"a":"b"}}"#,
            for: .chat)
        #expect(chat.streams && chat.includesUsage && chat.n == 3 && chat.serviceTier == "flex" && chat.metadata == ["a": "b"])
        #expect(!chat.native.body.contains(#""n""#))
        #expect(chat.canonical["n"] == nil && chat.canonical["stream"] == nil && chat.canonical["model"] == nil)
        let vectors = try Self.request(.embeddings, #"{"model":"m","input":"x","encoding_format":"base64"}"#, for: .embeddings)
        #expect(vectors.isBase64 && vectors.canonical == ["input": ["x"]])
        let response = try Self.request(.responses, #"{"model":"m","input":"x","background":true,"store":true}"#, for: .responses)
        #expect(response.native.body == #"{"model":"m","input":"x","background":true,"store":false}"#)
    }

    /// The provider keeps nothing, so that a later turn needs the thoughts in the answer.
    @Test(arguments: [
        (#"{"model":"m","input":"x","reasoning":{"effort":"low"}}"#, #"["reasoning.encrypted_content"]"# as String?),
        (#"{"model":"openai/gpt-5","input":"x","include":["a"]}"#, #"["a","reasoning.encrypted_content"]"#),
        (#"{"model":"o4-mini","input":"x"}"#, #"["reasoning.encrypted_content"]"#),
        (#"{"model":"gpt-4o","input":"x"}"#, nil), (#"{"model":"gpt-5-chat-latest","input":"x"}"#, nil),
        (#"{"model":"gpt-5","input":"x","store":false}"#, nil), (#"{"model":"m","input":"x","reasoning":{"effort":"none"}}"#, nil),
    ]) func thoughtsAreAskedForWhereThereAreSome(text: String, include: String?) throws {
        let request = try Self.request(.responses, text, for: .responses)
        let sent = try JSONValue.parse(request.native.body)["include"]
        #expect(sent?.text == include)
    }

    @Test func aTargetsOwnRefusalNamesTheMemberOrLeavesItOut() throws {
        func request(_ unsupported: ClientRequest.Unsupported) throws -> ClientRequest {
            let text = #"{"model":"m","messages":[{"role":"user","content":"x"}],"seed":1,"user":"u"}"#
            return try ClientRequest(form: .chat, body: Array(text.utf8), unsupported: unsupported, target: nil) { members in
                members.contains { $0.key == "seed" } ? ModelFailure.unsent("it has no seed") : nil
            }
        }
        #expect(throws: RequestError("it has no seed", code: "unsupported_parameter", param: "seed")) { try request(.refuse) }
        #expect(try request(.drop).dropped == ["seed"])
    }
}
