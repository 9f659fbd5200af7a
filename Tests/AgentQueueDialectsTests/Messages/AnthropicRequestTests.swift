import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct AnthropicRequestTests {
    static func translated(_ body: String, promptCache: PromptCache = .off) throws -> AnthropicRequest {
        let request = ModelRequest(
            kind: .generate, target: Target(provider: "anthropic", model: "m"), body: try JSONValue.parse(body))
        return try AnthropicRequest(request, maxOutputTokens: 100, promptCache: promptCache)
    }

    /// A request with one message and these members, and what they become.
    static func members(_ members: String) throws -> [String: JSONValue] {
        let body = try translated(#"{"messages":[{"role":"user","content":"q"}]\#(members.isEmpty ? "" : ",\(members)")}"#).body
        return Dictionary(
            uniqueKeysWithValues: (body.members ?? []).filter { !["model", "messages"].contains($0.key) }.map { ($0.key, $0.value) })
    }

    @Test func theWholeOfAPlainRequest() throws {
        let request = try Self.translated(
            #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Hi"}],"max_tokens":7,"sample":3,"stream":true}"#
        )
        #expect(
            request.body.text
                == #"{"model":"m","max_tokens":7,"system":[{"type":"text","text":"Be terse."}],"messages":[{"role":"user","content":"#
                + #"[{"type":"text","text":"Hi"}]}]}"#)
        #expect(request.maxTokens == 7)
        #expect(!request.hasSampling)
    }

    static let messages: [(String, String)] = [
        // Roles.
        (#"[{"role":"user","content":"a"},{"role":"user","content":"b"}]"#, #"U[t a][t b]"#),
        (#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]"#, "U[t a]A[t b]U[t c]"),
        (#"[{"role":"user","content":["a",{"type":"text","text":"b"}]}]"#, "U[t a][t b]"),
        (#"[{"role":"assistant","content":"a"}]"#, "A[t a]"),
        (#"[{"role":"assistant","content":null,"refusal":"no"}]"#, "A[t no]"),
        (#"[{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}]"#, "A[t no]"),
        (#"[{"role":"assistant","content":"a","reasoning":"r","reasoning_content":"r","annotations":[],"audio":null}]"#, "A[t a]"),
        (#"[{"role":"user","content":"a","cache_control":{"type":"ephemeral"}}]"#, "U[t a !]"),
        // Tools.
        (
            #"[{"role":"user","content":"a"},{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":"#
                + #"{"name":"f","arguments":"{\"x\":1}"}},{"id":"2","type":"function","function":{"name":"g","arguments":""}}]},"#
                + #"{"role":"tool","tool_call_id":"1","name":"f","content":"r"},{"role":"tool","tool_call_id":"2","content":[{"type":"text","#
                + #""text":"s"}],"is_error":true},{"role":"user","content":"b"}]"#,
            #"U[t a]A[u 1 f {"x":1}][u 2 g {}]U[r 1 "r"][r 2 [{"type":"text","text":"s"}] error][t b]"#
        ),
        (#"[{"role":"assistant","content":"a","tool_calls":[{"id":"1","function":{"name":"f"}}]}]"#, "A[t a][u 1 f {}]"),
        (#"[{"role":"tool","tool_call_id":"1","content":null}]"#, "U[r 1 -]"),
        // Anthropic's own blocks.
        (
            #"[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"s"},{"type":"tool_use","id":"1","name":"f","#
                + #""input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"r"}]}]"#,
            #"A[thinking][u 1 f {}]U[r 1 "r"]"#
        ),
    ]

    @Test(arguments: messages) func messagesBecomeTurns(given: String, expected: String) throws {
        let body = try Self.translated(#"{"messages":\#(given)}"#).body
        #expect(Self.sketch(body["messages"]) == expected)
    }

    /// A conversation in short.
    static func sketch(_ messages: JSONValue?) -> String {
        (messages?.array ?? []).map { message in
            let blocks = (message["content"]?.array ?? []).map { block in
                var words: [String]
                switch block["type"]?.string {
                case "text": words = ["t", block["text"]?.string ?? ""]
                case "tool_use": words = ["u", block["id"]?.string ?? "", block["name"]?.string ?? "", block["input"]?.text ?? ""]
                case "tool_result":
                    words = ["r", block["tool_use_id"]?.string ?? "", block["content"]?.text ?? "-"]
                    if block["is_error"] == true { words.append("error") }
                default: words = [block["type"]?.string ?? ""]
                }
                if block.isMarked { words.append("!") }
                return "[\(words.joined(separator: " "))]"
            }
            return (message["role"]?.string == "user" ? "U" : "A") + blocks.joined()
        }.joined()
    }

    @Test func systemTextStandsBeforeTheConversation() throws {
        let body = try Self.translated(
            #"{"system":[{"type":"text","text":"0","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"system","content":"1"},"#
                + #"{"role":"developer","content":["2",""]},{"role":"user","content":"a"},{"role":"system","content":"3"},"#
                + #"{"role":"user","content":"b"}]}"#
        ).body
        #expect(body["system"]?.array?.compactMap { $0["text"]?.string } == ["0", "1", "2", "3"])
        #expect(body["system"]?.array?.map(\.isMarked) == [true, false, false, false])
        #expect(Self.sketch(body["messages"]) == "U[t a][t b]")
    }

    static let parts: [(String, String)] = [
        (
            #"{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}"#,
            #"{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}"#
        ),
        (
            #"{"type":"image_url","image_url":{"url":"data:image/PNG;base64,AAAA,B","detail":"auto"}}"#,
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA,B"}}"#
        ),
        (
            #"{"type":"image_url","image_url":"https://h/a.png","cache_control":{"type":"ephemeral","ttl":"1h"}}"#,
            #"{"type":"image","source":{"type":"url","url":"https://h/a.png"},"cache_control":{"type":"ephemeral","ttl":"1h"}}"#
        ),
        (
            #"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}"#,
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"a.pdf"}"#
        ),
        (#"{"type":"file","file":{"file_id":"file_1"}}"#, #"{"type":"document","source":{"type":"file","file_id":"file_1"}}"#),
        (#"{"type":"image","source":{"type":"file","file_id":"f"}}"#, #"{"type":"image","source":{"type":"file","file_id":"f"}}"#),
        (#"{"type":"of_tomorrow","a":1}"#, #"{"type":"of_tomorrow","a":1}"#),
    ]

    @Test(arguments: parts) func partsBecomeBlocks(given: String, expected: String) throws {
        let body = try Self.translated(#"{"messages":[{"role":"user","content":[\#(given)]}]}"#).body
        #expect(body["messages"]?.array?[0]["content"]?.array?[0].text == expected)
    }

    static let parameters: [(String, String)] = [
        ("", #""max_tokens":100"#),
        (#""max_completion_tokens":9"#, #""max_tokens":9"#),
        (#""max_completion_tokens":9,"max_tokens":9"#, #""max_tokens":9"#),
        (#""max_tokens":null,"seed":null,"temperature":null"#, #""max_tokens":100"#),
        (#""temperature":0.5,"top_p":1,"top_k":3"#, #""max_tokens":100,"temperature":0.5,"top_p":1,"top_k":3"#),
        (#""stop":"a""#, #""max_tokens":100,"stop_sequences":["a"]"#),
        (#""stop":["a"],"stop_sequences":["b"]"#, #""max_tokens":100,"stop_sequences":["a","b"]"#),
        // Spelled-out defaults are no demands.
        (#""n":1,"logprobs":false,"frequency_penalty":0,"presence_penalty":0.0,"logit_bias":{},"store":false"#, #""max_tokens":100"#),
        (#""modalities":["text"],"top_logprobs":0,"prompt_cache_key":"k","stream_options":{}"#, #""max_tokens":100"#),
        // Tools.
        (
            #""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}]"#,
            #""max_tokens":100,"tools":[{"name":"f","description":"d","strict":true,"input_schema":{"type":"object"}}]"#
        ),
        (
            #""tools":[{"type":"function","function":{"name":"f","strict":false},"cache_control":{"type":"ephemeral"}}]"#,
            #""max_tokens":100,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}]"#
        ),
        (
            #""tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"web_search_20260101","name":"web_search","max_uses":2}]"#,
            #""max_tokens":100,"tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"web_search_20260101","name":"web_search","#
                + #""max_uses":2}]"#
        ),
        (#""tool_choice":"auto""#, #""max_tokens":100,"tool_choice":{"type":"auto"}"#),
        (#""tool_choice":"none""#, #""max_tokens":100,"tool_choice":{"type":"none"}"#),
        (#""tool_choice":"required""#, #""max_tokens":100,"tool_choice":{"type":"any"}"#),
        (#""tool_choice":{"type":"function","function":{"name":"f"}}"#, #""max_tokens":100,"tool_choice":{"type":"tool","name":"f"}"#),
        (#""tool_choice":{"type":"any"}"#, #""max_tokens":100,"tool_choice":{"type":"any"}"#),
        (
            #""tools":[{"name":"f"}],"parallel_tool_calls":false"#,
            #""max_tokens":100,"tools":[{"name":"f"}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#
        ),
        (
            #""tools":[{"name":"f"}],"tool_choice":"required","parallel_tool_calls":false"#,
            #""max_tokens":100,"tools":[{"name":"f"}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}"#
        ),
        (#""parallel_tool_calls":false"#, #""max_tokens":100"#),
        (#""tools":[{"name":"f"}],"parallel_tool_calls":true"#, #""max_tokens":100,"tools":[{"name":"f"}]"#),
        // The answer's form.
        (#""response_format":{"type":"text"}"#, #""max_tokens":100"#),
        (
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"description":"d","schema":{"type":"string"}}}"#,
            #""max_tokens":100,"output_config":{"format":{"type":"json_schema","schema":{"type":"string","description":"d"}}}"#
        ),
        (
            #""output_config":{"effort":"max"},"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"null"}}}"#,
            #""max_tokens":100,"output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"null"}}}"#
        ),
        (#""reasoning_effort":"high""#, #""max_tokens":100,"output_config":{"effort":"high"}"#),
        (#""reasoning_effort":"high","output_config":{"effort":"high"}"#, #""max_tokens":100,"output_config":{"effort":"high"}"#),
        // Who and how.
        (#""user":"u""#, #""max_tokens":100,"metadata":{"user_id":"u"}"#),
        (#""user":"u","safety_identifier":"s""#, #""max_tokens":100,"metadata":{"user_id":"s"}"#),
        (#""safety_identifier":"s","user":"u""#, #""max_tokens":100,"metadata":{"user_id":"s"}"#),
        (#""user":"u","metadata":{"user_id":"m"}"#, #""max_tokens":100,"metadata":{"user_id":"m"}"#),
        (#""service_tier":"default""#, #""max_tokens":100,"service_tier":"standard_only""#),
        (#""service_tier":"auto""#, #""max_tokens":100,"service_tier":"auto""#),
        // What only Anthropic's form has, and what nobody knows.
        (
            #""thinking":{"type":"adaptive"},"cache_control":{"type":"ephemeral"},"speed":"fast","of_tomorrow":[1]"#,
            #""max_tokens":100,"thinking":{"type":"adaptive"},"cache_control":{"type":"ephemeral"},"speed":"fast","of_tomorrow":[1]"#
        ),
    ]

    @Test(arguments: parameters) func parametersAreTranslated(given: String, expected: String) throws {
        let wanted = try JSONValue.parse("{\(expected)}").members ?? []
        #expect(try Self.members(given) == Dictionary(uniqueKeysWithValues: wanted.map { ($0.key, $0.value) }))
    }

    static let refused: [(String, String)] = [
        (#""seed":1"#, "seed"), (#""logprobs":true"#, "logprobs"), (#""top_logprobs":2"#, "top_logprobs"), (#""n":2"#, "n has"),
        (#""logit_bias":{"1":2}"#, "logit_bias"), (#""frequency_penalty":0.5"#, "frequency_penalty"),
        (#""presence_penalty":-1"#, "presence_penalty"), (#""modalities":["text","audio"]"#, "modalities"), (#""audio":{}"#, "audio"),
        (#""functions":[]"#, "functions"), (#""function_call":"auto""#, "function_call"), (#""prediction":{}"#, "prediction"),
        (#""store":true"#, "store"), (#""verbosity":"low""#, "verbosity"), (#""service_tier":"flex""#, "service_tier"),
        (#""response_format":{"type":"json_object"}"#, "json_schema"), (#""response_format":{"type":"json_schema"}"#, "no schema"),
        (#""response_format":7"#, "response_format"), (#""reasoning_effort":"minimal""#, "reasoning_effort"),
        (#""reasoning_effort":"low","output_config":{"effort":"high"}"#, "output_config.effort"), (#""output_config":1"#, "output_config"),
        (#""max_tokens":"9""#, "max_tokens"), (#""max_tokens":-1"#, "max_tokens"), (#""max_tokens":1,"max_completion_tokens":2"#, "differ"),
        (#""stop":7"#, "stop"), (#""stop":[1]"#, "stop"), (#""tools":{}"#, "tools"),
        (#""tools":[{"type":"custom","custom":{}}]"#, "tools[0]"),
        (#""tool_choice":"most""#, "tool_choice"), (#""tool_choice":{"type":"allowed_tools"}"#, "allowed_tools"),
        (#""tool_choice":{"type":"function"}"#, "no function"), (#""system":7"#, "system"), (#""system":[{"type":"image"}]"#, "system"),
    ]

    @Test(arguments: refused) func nothingIsDroppedInSilence(given: String, word: String) throws {
        let failure = try #require(throws: ModelFailure.self) { try Self.members(given) }
        #expect(failure.failure == .permanent)
        #expect(failure.message.contains(word), "\(failure.message)")
        #expect(failure.calls == 0 && !failure.isMaybePaid)
    }

    static let refusedMessages: [(String, String)] = [
        ("7", "messages must be a list"), ("[]", "no message of a user"), (#"[{"role":"system","content":"s"}]"#, "no message of a user"),
        ("[7]", "messages[0]"), (#"[{"content":"x"}]"#, "with a role"), (#"[{"role":"function","content":"x"}]"#, "'function'"),
        (#"[{"role":"user","content":"x","name":"bob"}]"#, "'name'"), (#"[{"role":"user"}]"#, "content that is null"),
        (#"[{"role":"user","content":[7]}]"#, "without a type"), (#"[{"role":"assistant"}]"#, "neither content nor tool_calls"),
        (#"[{"role":"assistant","content":"x","function_call":{}}]"#, "'function_call'"),
        (#"[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{"}}]}]"#, "no JSON object"),
        (#"[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"[]"}}]}]"#, "no JSON object"),
        (#"[{"role":"assistant","tool_calls":[{"function":{}}]}]"#, "without id"), (#"[{"role":"tool","content":"x"}]"#, "tool_call_id"),
        (#"[{"role":"user","content":[{"type":"input_audio"}]}]"#, "audio"),
        (#"[{"role":"user","content":[{"type":"image_url"}]}]"#, "url"),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}]"#, "neither http"),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,x"}}]}]"#, "data URL"),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64"}}]}]"#, "data URL"),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}]"#, "data URL"),
        (#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x","detail":"low"}}]}]"#, "low detail"),
        (#"[{"role":"user","content":[{"type":"file","file":{}}]}]"#, "file_data"),
        (#"[{"role":"system","content":[{"type":"image"}]},{"role":"user","content":"x"}]"#, "more than text"),
    ]

    @Test(arguments: refusedMessages) func messagesWithoutCounterpartAreRefused(given: String, words: String) throws {
        let failure = try #require(throws: ModelFailure.self) { try Self.translated(#"{"messages":\#(given)}"#) }
        #expect(failure.failure == .permanent)
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test func sentencesHoldNoControlCharacters() throws {
        let failure = try #require(throws: ModelFailure.self) {
            try Self.translated(#"{"messages":[{"role":"user","content":"x","a\u001b[31m\nb":1}]}"#)
        }
        #expect(failure.message == "messages[0] has 'a [31m b', which has no counterpart at Anthropic")
    }

    @Test(arguments: [JobKind.embed, .memorize]) func embeddingsAreAnothersBusiness(kind: JobKind) throws {
        let request = ModelRequest(kind: kind, target: Target(provider: "anthropic", model: "m"), body: ["input": ["x"]])
        let failure = try #require(throws: ModelFailure.self) {
            try AnthropicRequest(request, maxOutputTokens: 1, promptCache: .off)
        }
        #expect(failure == .unsent("Anthropic has no embeddings; name an embedding model of another provider"))
    }

    @Test func countingTakesWhatCounts() throws {
        let request = try Self.translated(
            #"{"messages":[{"role":"user","content":"x"}],"system":"s","max_tokens":5,"temperature":1,"stop":"a","tools":[{"name":"f"}],"#
                + #""thinking":{"type":"adaptive"},"metadata":{"user_id":"u"},"service_tier":"auto"}"#)
        #expect(request.countBody.members?.map(\.key) == ["model", "tools", "system", "messages", "thinking"])
        #expect(request.hasSampling)
    }

    // MARK: Marks for the prompt cache

    @Test func theSharedPrefixIsMarked() throws {
        let given =
            #"{"tools":[{"name":"f"},{"name":"g"}],"messages":[{"role":"system","content":["a","b"]},{"role":"user","content":"q"}]}"#
        let five = try Self.translated(given, promptCache: .fiveMinutes).body
        #expect(five["tools"]?.array?.map { $0["cache_control"] } == [nil, ["type": "ephemeral"]])
        #expect(five["system"]?.array?.map { $0["cache_control"] } == [nil, ["type": "ephemeral"]])
        #expect(Self.sketch(five["messages"]) == "U[t q]")
        let hour = try Self.translated(given, promptCache: .oneHour).body
        #expect(hour["system"]?.array?.last?["cache_control"] == ["type": "ephemeral", "ttl": "1h"])
        #expect(try !Self.translated(given).body.text.contains("cache_control"))
    }

    @Test func bothKindsOfSystemTextEndInOneMark() throws {
        let given = #"{"system":"a","messages":[{"role":"system","content":"b"},{"role":"user","content":"q"}]}"#
        let body = try Self.translated(given, promptCache: .fiveMinutes).body
        #expect(body["system"]?.array?.map(\.isMarked) == [false, true])
    }

    private static let mark = #""cache_control":{"type":"ephemeral"}"#
    private static let question = #""messages":[{"role":"user","content":"q"}]"#

    @Test(arguments: [
        #"{\#(mark),"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}"#,
        #"{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"q",\#(mark)}]}]}"#,
        #"{"system":[{"type":"text","text":"s",\#(mark)},{"type":"text","text":"t"}],\#(question)}"#,
        #"{"tools":[{"name":"f",\#(mark)}],"system":"s",\#(question)}"#,
        #"{"system":"s","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text",\#(mark)}]}]}]}"#,
    ])
    func aRequestsOwnMarksStandAlone(given: String) throws {
        #expect(try Self.translated(given, promptCache: .oneHour) == Self.translated(given))
    }
}
