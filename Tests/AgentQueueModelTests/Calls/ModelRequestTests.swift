import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct ModelRequestTests {
    private let target = Target(provider: "local", model: "smollm2")
    private let base = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5}"

    private func digest(
        _ body: String, kind: JobKind = .generate, target: Target? = nil, identity: String = "openai http://127.0.0.1:8080"
    ) throws -> [UInt8] {
        ModelRequest(kind: kind, target: target ?? self.target, body: try JSONValue.parse(body)).digest(identity: identity)
    }

    @Test(arguments: [
        "{\"temperature\":0.5,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}]}",
        " { \"messages\" : [ { \"role\":\"user\", \"content\":\"\\u0068i\" } ] , \"temperature\" : 5e-1 } ",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"user\":\"ada\",\"metadata\":{\"a\":1},\"service_tier\":\"flex\"}",
        "{\"store\":true,\"safety_identifier\":\"x\",\"prompt_cache_key\":\"k\",\"prompt_cache_options\":{},\"prompt_cache_retention\":\"24h\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5}",
    ])
    func isTheSame(_ body: String) throws {
        #expect(try digest(body) == digest(base))
    }

    @Test(arguments: [
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi \"}],\"temperature\":0.5}",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"hi\"}],\"temperature\":0.5}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.6}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"sample\":1}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"seed\":0}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"max_tokens\":5}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"user\":\"ada\"}],\"temperature\":0.5}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5}", "{}",
    ])
    func isAnother(_ body: String) throws {
        #expect(try digest(body) != digest(base))
    }

    @Test func whoAnswersIsPartOfIt() throws {
        let usual = try digest(base)
        #expect(usual.count == 32)
        #expect(try digest(base, kind: .embed) != usual)
        #expect(try digest(base, target: Target(provider: "local", model: "other")) != usual)
        #expect(try digest(base, target: Target(provider: "other", model: "smollm2")) != usual)
        #expect(try digest(base, identity: "openai http://127.0.0.1:8081") != usual)
        // The parts are kept apart: no two of them run together.
        #expect(
            try digest(base, target: Target(provider: "a", model: "bc"), identity: "d")
                != digest(base, target: Target(provider: "a", model: "b"), identity: "cd"))
    }

    /// The key outlives the process: entries in a database written yesterday are found today.
    @Test func isStable() throws {
        let hex = try digest("{\"input\":[\"a\"]}", kind: .embed, target: Target(provider: "p", model: "m"), identity: "i")
            .map { (($0 < 16 ? "0" : "") + String($0, radix: 16)) }.joined()
        #expect(hex == "07b3d7e0f908b4ac979853f98a583dc4703ce4649daca137396e0fc63a49debe")
    }

    /// Computed before the order of members was kept.
    @Test(arguments: [
        (
            #"{"messages":[{"role":"user","content":"hi"}],"temperature":0.5}"#,
            "b56f8d29b0f67cd801aca5140f2ff39d6de22ab0b3fc8afd79668be71a0c350a"
        ),
        (
            #"""
            {"messages":[{"role":"system","content":"S","name":"n"},{"role":"user","content":[{"type":"text","text":"é"},
            {"type":"image_url","image_url":{"url":"u","detail":"low"}}]}],"max_tokens":7,"stop":["a"],"logit_bias":{"b":1,"a":-1},
            "thinking":{"type":"enabled","budget_tokens":1024},"sample":2,"user":"ada","stream":true}
            """#, "58829132560c44d8b9596302a97244d439d327e349a5b3948de427e0aa118d26"
        ),
        (
            #"{"response_format":{"type":"json_object"},"messages":[{"content":"hi","role":"user"}]}"#,
            "1def59096651ba94c6a8f25fe1500965d80cf2d82800c8e3ed9fc65682c9b8a8"
        ),
        // As such a request was stored: its answer is found again for what was stored.
        (
            #"""
            {"messages":[{"content":"hi","role":"user"}],"response_format":{"json_schema":{"name":"answer","schema":
            {"additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b","a"],"type":"object"},
            "strict":true},"type":"json_schema"}}
            """#, "feef79131fbacbe694e167f9fc5c0cb13cec18f6627b315e6162e6b1441becca"
        ),
    ])
    func isWhatItWas(_ body: String, _ hex: String) throws {
        #expect(try Hexadecimal.text(digest(body)) == hex)
    }

    /// What may stand in any order in a request, and where the order is the user's.
    @Test(arguments: [
        #"{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":S}}}"#,
        #"{"output_config":{"format":{"type":"json_schema","schema":S}}}"#, #"{"guided_json":S}"#, #"{"format":S}"#,
        #"{"tools":[{"type":"function","function":{"name":"f","parameters":S}}]}"#, #"{"tools":[{"name":"f","input_schema":S}]}"#,
        #"{"functions":[{"name":"f","parameters":S}]}"#, #"{"structured_outputs":{"json":S}}"#,
    ])
    func orderCountsInSchemas(_ body: String) throws {
        let schema = #"{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}"#
        let swapped = #"{"type":"object","properties":{"answer":{"type":"string"},"why":{"type":"string"}}}"#
        let given = body.replacing("S", with: schema)
        #expect(try digest(given) != digest(body.replacing("S", with: swapped)))
        let request = ModelRequest(kind: .generate, target: target, body: try JSONValue.parse(given))
        #expect(request.storedBody == given)
    }

    @Test func anyOrderHasTheKeyOfTheSortedOne() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            let given = JSONValue.random(depth: 4, using: &generator)
            let sorted = try JSONValue.parse(given.canonicalText)
            func request(_ value: JSONValue) -> ModelRequest {
                ModelRequest(kind: .generate, target: target, body: ["messages": [value], "seed": 1])
            }
            #expect(request(given).digest(identity: "i") == request(sorted).digest(identity: "i"), "\(given.text)")
            #expect(request(given).storedBody == #"{"messages":[\#(given.text)],"seed":1}"#)
        }
    }

    @Test func orderCountsNowhereElse() throws {
        let given = #"{"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object"}}}],"#
        let other = #"{"tools":[{"function":{"parameters":{"type":"object"},"strict":true,"name":"f"},"type":"function"}],"#
        let messages = #""messages":[{"role":"user","content":"hi"}]}"#
        #expect(try digest(given + messages) == digest(other + messages))
        #expect(try digest(given + messages) == digest(given + #""messages":[{"content":"hi","role":"user"}]}"#))
    }

    @Test func samplesAreApart() throws {
        let digests = try (0..<5).map { try digest("{\"messages\":[],\"sample\":\($0)}") }
        #expect(Set(digests).count == 5)
    }

    @Test func theBodyIsStoredAsGivenBelowItsOwnMembers() throws {
        let chat = ModelRequest(
            kind: .generate, target: target, body: try JSONValue.parse(#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":5}"#))
        #expect(chat.storedBody == #"{"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#)
        #expect(chat.sealed(identity: "i") == (chat.storedBody, chat.digest(identity: "i")))
        let request = ModelRequest(kind: .embed, target: target, body: try JSONValue.parse("{\"input\":[\"b\",\"a\"],\"dimensions\":8.0}"))
        #expect(request.storedBody == "{\"dimensions\":8,\"input\":[\"b\",\"a\"]}")
        let job = ClaimedJob(
            lease: Lease(jobID: 1, token: 2), laneID: 1, batchID: nil, priority: 5, kind: .embed, target: target,
            body: request.storedBody,
            digest: request.digest(identity: "i"), attempt: 1, maxAttempts: 5, crashes: 0, timeout: nil, useCache: true)
        #expect(try ModelRequest(job).digest(identity: "i") == request.digest(identity: "i"))
        #expect(job.id == 1)
    }

    @Test(
        arguments: [
            ("stop", true), ("tool_calls", true), ("length", false), ("content_filter", false), ("refusal", false), (nil, false),
        ] as [(String?, Bool)])
    func onlyAWholeReplyServesAgain(_ reason: String?, _ isComplete: Bool) {
        #expect(ModelReply(text: "x", finishReason: reason).isComplete == isComplete)
        #expect(ModelReply(embeddings: [[1]], finishReason: reason).isComplete)
    }

    @Test func aReplyKeepsItsFloats() throws {
        let floats: [Float] = [0.1, -1, .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude, 1 / 3]
        let reply = ModelReply(embeddings: [floats], finishReason: "stop", model: "m", requestID: "r")
        let read = try JSONValue.parse(reply.json.text)
        #expect(read["embeddings"]?.array?.first?.array?.compactMap { $0.number.map(Float.init) } == floats)
        #expect(reply.json.text.hasPrefix("{\"embeddings\":[[0.1,-1,"))
        #expect(read["model"] == "m" && read["request_id"] == "r" && read["text"] == nil && read["finish_reason"] == "stop")
    }
}

@Suite struct TargetTests {
    @Test(arguments: [
        ("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"), ("a/b", "a", "b"),
        ("local/org/model:q4", "local", "org/model:q4"),
        ("a//b", "a", "/b"), ("é/ü", "é", "ü"),
    ])
    func isRead(_ text: String, _ provider: String, _ model: String) {
        let target = Target(text)
        #expect(target?.provider == provider)
        #expect(target?.model == model)
        #expect(target?.description == text)
        #expect(target == Target(provider: provider, model: model))
    }

    @Test(arguments: ["", "/", "a", "a/", "/b", "a b/c", "a/b c", "a/b\n", "a/\0b", "a/b\u{7F}", "\ta/b", "a/\u{1b}[31m"])
    func isRefused(_ text: String) {
        #expect(Target(text) == nil)
    }

    @Test func lengthIsBoundedInBytes() {
        #expect(Target("a/" + String(repeating: "b", count: Target.maxBytes - 2)) != nil)
        #expect(Target("a/" + String(repeating: "b", count: Target.maxBytes - 1)) == nil)
        #expect(Target("a/" + String(repeating: "é", count: Target.maxBytes / 2 - 1)) != nil)
        #expect(Target("a/" + String(repeating: "é", count: Target.maxBytes / 2)) == nil)
        #expect(Target("xx a/b".dropFirst(3))?.provider == "a")
    }
}
