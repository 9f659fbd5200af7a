import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// That nothing of a request is lost, whoever answers it.
@Suite struct FidelityTests {
    static let corpus: [(form: RequestForm, text: String)] = [
        (.chat, #"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#),
        (
            .chat,
            #"{ "messages":[{"role":"developer","content":"b\u0065 terse"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"high"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}],"temperature":0.70,"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"b":{},"a":{}}}}}],"tool_choice":"auto","unknown_member":{"z":1,"a":[1e2]},"seed":12345678901,"stream":true}"#
        ),
        (
            .messages,
            #"{"model":"m","max_tokens":64,"system":[{"type":"text","text":"Be terse.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"tool_use","id":"t1","name":"f","input":{"b":1,"a":2}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]},{"role":"system","content":"now"}],"stop_sequences":["END"],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"},"temperature":1}"#
        ),
        (
            .messages,
            #"{"model":"m","max_tokens":64,"messages":[{"role":"user","content":"hi"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}},"top_k":4}"#
        ),
        (.responses, #"{"model":"m","input":"hi","instructions":"Be terse.","max_output_tokens":9}"#),
        (
            .responses,
            #"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"1"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],"store":false}"#
        ),
        (.embeddings, #"{"model":"m","input":["a","b"],"dimensions":256,"encoding_format":"base64"}"#),
        (.embeddings, #"{"model":"m","input":[[1,2],[3]]}"#),
    ]

    @Test(arguments: corpus.indices) func aProviderOfTheSameFormGetsTheBytesThatWereSent(index: Int) throws {
        let (form, text) = Self.corpus[index]
        let request = try ClientRequestTests.request(form, text, for: form)
        #expect(request.isCanonical && request.dropped.isEmpty)
        let kept = form == .responses && !text.contains(#""store""#) ? text.dropLast() + #","store":false}"# : text[...]
        #expect(request.native.body == String(kept))
        let sent = try RawBody(request.native.body).replacing("model", with: "other")
        #expect(sent.text == String(kept).replacing(#""model":"m""#, with: #""model":"other""#))
    }

    @Test(arguments: corpus.indices) func aStreamedRequestIsTheSameRequest(index: Int) throws {
        let (form, text) = Self.corpus[index]
        let plain = try ClientRequestTests.request(form, text, for: form)
        let streamed = try RawBody(text).replacing("stream", with: true).replacing("stream_options", with: ["include_usage": true])
        let other = try ClientRequestTests.request(form, streamed.text, for: form)
        #expect(plain.attachDigest(key: 1, route: "/r", sample: 0) == other.attachDigest(key: 1, route: "/r", sample: 0))
        #expect(plain.canonical == other.canonical)
    }

    @Test func anyOtherDifferenceMakesAnotherRequest() throws {
        let (form, text) = Self.corpus[2]
        let request = try ClientRequestTests.request(form, text, for: form)
        let digests = [
            request.attachDigest(key: 1, route: "/v1/messages", sample: 0), request.attachDigest(key: 2, route: "/v1/messages", sample: 0),
            request.attachDigest(key: 1, route: "/v1/other", sample: 0), request.attachDigest(key: 1, route: "/v1/messages", sample: 1),
            try ClientRequestTests.request(form, text, for: form, betas: ["a"]).attachDigest(key: 1, route: "/v1/messages", sample: 0),
            try ClientRequestTests.request(form, text.replacing("terse", with: "brief"), for: form)
                .attachDigest(key: 1, route: "/v1/messages", sample: 0),
        ]
        #expect(Set(digests).count == digests.count)
        let reordered = #"{"max_tokens":9,"messages":[{"content":"x","role":"user"}],"model":"m"}"#
        let given = #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#
        #expect(
            try ClientRequestTests.request(form, reordered, for: form).attachDigest(key: 1, route: "", sample: 0)
                == ClientRequestTests.request(form, given, for: form).attachDigest(key: 1, route: "", sample: 0))
    }

    @Test func aChatIsItsOwnCanonicalForm() throws {
        let (form, text) = Self.corpus[1]
        let body = try JSONValue.parse(text)
        let request = try ClientRequestTests.request(form, text, for: form)
        #expect(request.canonical == .object((body.members ?? []).filter { !["model", "stream"].contains($0.key) }))
    }

    @Test func messagesBecomeAChatThatGivesThemBack() throws {
        let (form, text) = Self.corpus[2]
        let request = try ClientRequestTests.request(form, text, for: .chat)
        #expect(request.dropped == ["cache_control"])
        #expect(request.canonical["messages"]?.array?.first?["role"] == "system" && request.canonical["stop"] == ["END"])
        let target = Target(provider: "p", model: "m")
        let chat = try ChatRequest(ModelRequest(kind: .generate, target: target, body: request.canonical))
        #expect(chat["tools"]?.array?.first?["function"]?["name"] == "f")
        #expect(chat["messages"]?.array?.compactMap { $0["role"]?.string } == ["system", "user", "assistant", "tool", "system"])
        let back = try AnthropicRequest(
            ModelRequest(kind: .generate, target: target, body: request.canonical), maxOutputTokens: 9, promptCache: .off)
        let sent = try JSONValue.parse(text)
        #expect(back.body["tools"] == sent["tools"] && back.body["stop_sequences"] == sent["stop_sequences"])
        #expect(back.body["messages"]?.array?[1] == sent["messages"]?.array?[1])
        #expect(back.body["system"]?.array?.first == sent["system"]?.array?.first)
    }

    @Test func aFormatOfMessagesIsTheSchemaOfAChat() throws {
        let request = try ClientRequestTests.request(.messages, Self.corpus[3].text, for: .chat)
        #expect(request.schema?["required"] == ["n"] && request.canonical["output_config"] == nil)
        #expect(request.isCanonical)
    }

    @Test func aResponseBecomesAChat() throws {
        let request = try ClientRequestTests.request(.responses, Self.corpus[5].text, for: .chat)
        #expect(request.canonical["messages"]?.array?.compactMap { $0["role"]?.string } == ["user", "assistant", "tool"])
        #expect(request.canonical["tools"]?.array?.first?["function"]?["strict"] == true && request.isCanonical)
    }

    @Test func earlierTurnsComeBeforeTheInput() throws {
        let text = #"{"model":"m","input":"and now?","previous_response_id":"resp_1"}"#
        let earlier: [JSONValue] = [["role": "user", "content": "hi"], ["role": "assistant", "content": "hello"]]
        let request = try ClientRequest(form: .responses, body: Array(text.utf8), target: .chat, earlier: earlier)
        #expect(request.canonical["messages"]?.array?.compactMap { $0["content"]?.string } == ["hi", "hello", "and now?"])
        #expect(!request.native.body.contains("previous_response_id"))
    }
}
