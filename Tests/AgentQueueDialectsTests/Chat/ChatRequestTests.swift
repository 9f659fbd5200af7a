import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Requests in Anthropic's form, and what becomes of them.
@Suite struct ChatRequestTests {
    func body(_ text: String, form: ChatForm = ChatForm(), streams: Bool = false) throws -> String {
        let request = ModelRequest(kind: .generate, target: Target(provider: "scripted", model: "m"), body: try JSONValue.parse(text))
        return try ChatRequest(request).body(form, streams: streams).text
    }

    static let untouched = [
        #"{"model":"m","messages":[{"role":"user","content":"x"}],"stop":["a"],"seed":1,"top_k":3,"n":2,"logit_bias":{"1":2}}"#,
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"u"}}]}]}"#,
        #"{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"tool","content":"x"}]}"#,
        #"{"model":"m","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}},{"type":"web_search"}]}"#,
        #"{"model":"m","tool_choice":"auto"}"#, #"{"model":"m","tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        #"{"model":"m","response_format":{"type":"json_object"},"max_tokens":5}"#, #"{"model":"m","thinking":{"type":"enabled"}}"#,
        #"{"model":"m","messages":"nonsense"}"#, #"{"model":"m"}"#,
    ]

    @Test(arguments: untouched) func openAIsFormStaysAsItIs(text: String) throws {
        #expect(try body(text) == text)
    }

    static let table: [(String, String)] = [
        (
            #""tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}]"#,
            #""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]"#
        ),
        (
            #""tools":[{"type":"custom","name":"f","input_schema":{}}]"#,
            #""tools":[{"type":"function","function":{"name":"f","parameters":{}}}]"#
        ),
        (#""tools":[],"top_p":1"#, #""top_p":1"#), (#""tool_choice":{"type":"auto"}"#, #""tool_choice":"auto""#),
        (#""tool_choice":{"type":"any"}"#, #""tool_choice":"required""#),
        (#""tool_choice":{"type":"none"}"#, #""tool_choice":"none""#),
        (#""tool_choice":{"type":"tool","name":"f"}"#, #""tool_choice":{"type":"function","function":{"name":"f"}}"#),
        (#""tool_choice":{"type":"any","disable_parallel_tool_use":true}"#, #""tool_choice":"required","parallel_tool_calls":false"#),
        (#""stop_sequences":["a","b"]"#, #""stop":["a","b"]"#), (#""stop":"a","stop_sequences":["b"]"#, #""stop":["a","b"]"#),
        (#""thinking":{"type":"disabled"},"top_p":1"#, #""top_p":1"#), (#""container":null,"mcp_servers":[],"top_p":1"#, #""top_p":1"#),
        (#""cache_control":{"type":"ephemeral"},"service_tier":"standard_only""#, #""service_tier":"default""#),
        (
            #""output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}}"#,
            #""reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":"#
                + #"{"name":"answer","strict":false,"schema":{"type":"object"}}}"#
        ),
        (
            #""output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{},"additionalProperties":false}}}"#,
            #""response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"#
                + #""schema":{"type":"object","properties":{},"additionalProperties":false}}}"#
        ),
        (
            #""system":"S","messages":[{"role":"user","content":"x"}]"#,
            #""messages":[{"role":"system","content":"S"},{"role":"user","content":"x"}]"#
        ),
        (
            #""messages":[{"role":"user","content":"x"}],"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]"#,
            #""messages":[{"role":"system","content":[{"type":"text","text":"S"}]},{"role":"user","content":"x"}]"#
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},"#
                + #"{"type":"image","source":{"type":"url","url":"https://x/y"}},{"type":"text","text":"t"}]}]"#,
            #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},"#
                + #"{"type":"image_url","image_url":{"url":"https://x/y"}},{"type":"text","text":"t"}]}]"#
        ),
        (
            #""messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"h","signature":"s"},{"type":"text","text":"Let me see."},"#
                + #"{"type":"tool_use","id":"t1","name":"f","input":{"a":[1]}}]},{"role":"user","content":[{"type":"tool_result","#
                + #""tool_use_id":"t1","content":[{"type":"text","text":"4"},{"type":"text","text":"2"}]},{"type":"text","text":"And?"}]}]"#,
            #""messages":[{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"t1","type":"function","function":"#
                + #"{"name":"f","arguments":"{\"a\":[1]}"}}]},{"role":"tool","tool_call_id":"t1","content":"4\n2"},"#
                + #"{"role":"user","content":[{"type":"text","text":"And?"}]}]"#
        ),
        (
            #""messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true}]}]"#,
            #""messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":"#
                + #"{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t1","content":""}]"#
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"#
                + #"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}]}]}]"#,
            #""messages":[{"role":"tool","tool_call_id":"t","content":""},"#
                + #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}]"#
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","#
                + #""data":"QQ=="}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"D"}}]}]"#,
            #""messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QQ=="}},"#
                + #"{"type":"text","text":"D"}]}]"#
        ),
        (
            #""messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"h"}]}]"#,
            #""messages":[{"role":"assistant","content":""}]"#
        ),
    ]

    @Test(arguments: table.indices) func anthropicsFormIsTranslated(row: Int) throws {
        let (given, expected) = Self.table[row]
        #expect(try body("{\(given)}") == #"{"model":"m",\#(expected)}"#)
    }

    @Test(arguments: [
        (#""thinking":{"type":"enabled","budget_tokens":2000}"#, "'thinking'"), (#""thinking":{"type":"adaptive"}"#, "'thinking'"),
        (#""container":"c_1""#, "'container'"), (#""mcp_servers":[{"url":"x"}]"#, "'mcp_servers'"),
        (#""output_config":{"effort":"max"}"#, "'output_config.effort'"),
        (#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "web_search_20250305"),
        (#""messages":[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]"#, "image"),
        (#""messages":[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"u"}}]}]"#, "document"),
        (#""messages":[{"role":"user","content":[{"type":"search_result","source":"u"}]}]"#, "search_result"),
        (#""messages":[{"role":"assistant","content":[{"type":"web_search_tool_result","tool_use_id":"x"}]}]"#, "web_search_tool_result"),
    ])
    func whatHasNoCounterpartIsNamed(given: String, name: String) throws {
        do {
            _ = try body("{\(given)}")
            Issue.record("translated")
        } catch let failure as ModelFailure {
            #expect(failure.failure == .permanent)
            #expect(failure.message.contains(name), "\(failure.message)")
        }
    }

    @Test func theFormIsTheServers() throws {
        let given = #"{"messages":[],"max_tokens":5}"#
        #expect(
            try body(given, form: ChatForm(hasCompletionLimit: true), streams: true)
                == #"{"model":"m","messages":[],"max_completion_tokens":5,"stream":true,"stream_options":{"include_usage":true}}"#)
        #expect(
            try body(given, form: ChatForm(hasStreamOptions: false), streams: true)
                == #"{"model":"m","messages":[],"max_tokens":5,"stream":true}"#)
        #expect(
            try body(#"{"max_tokens":5,"max_completion_tokens":6}"#, form: ChatForm(hasCompletionLimit: true))
                == #"{"model":"m","max_completion_tokens":6}"#)
    }
}
