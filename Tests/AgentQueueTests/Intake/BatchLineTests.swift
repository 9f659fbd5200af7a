import AgentQueueModel
import Testing

@testable import AgentQueue

private let messages = #""messages":[{"role":"user","content":"x"}]"#

/// Lines in the batch forms of OpenAI, of servers with the same form, and of Anthropic: what they become, and where they go.
@Suite struct BatchLineTests {
    private static func job(_ line: String, model: String? = nil, provider: String? = nil) throws -> NewJob {
        var defaults = JobDraft()
        defaults.model = model
        let context = context(providers: ["local", "openai", "anthropic", "local-embeddings"])
        return try JobLine(defaults: defaults, context: context, provider: provider).draft(line).validated(in: context)
    }

    private static func refusal(_ line: String, provider: String? = nil) -> String? {
        do {
            _ = try job(line, provider: provider)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(
        arguments: [
            (#""gpt-x""#, nil, nil, "openai/gpt-x"), (#""openai/gpt-x""#, nil, nil, "openai/gpt-x"),
            (#""local/m""#, nil, nil, "local/m"), (#""meta/llama""#, nil, nil, "openai/meta/llama"),
            (#""gpt-x""#, "local/m", nil, "openai/gpt-x"), ("null", "local/m", nil, "local/m"), ("null", nil, nil, "local/smollm2"),
            (#""gpt-x""#, nil, "local", "local/gpt-x"), (#""local/m""#, nil, "local", "local/m"),
            (#""openai/gpt-x""#, nil, "local", "local/openai/gpt-x"), ("null", "local/m", "local", "local/m"),
        ] as [(String, String?, String?, String)])
    func aLineGoesToTheProviderOfItsFormUnlessAnotherIsNamed(
        _ model: String, _ standard: String?, _ provider: String?, _ expected: String
    ) throws {
        let line = #"{"custom_id":"c","url":"/v1/chat/completions","body":{"model":\#(model),\#(messages)}}"#
        #expect(try Self.job(line, model: standard, provider: provider).target.description == expected)
        let embed = #"{"custom_id":"c","url":"/v1/embeddings","body":{"model":"e","input":"x"}}"#
        #expect(try Self.job(embed, model: standard).target.description == "openai/e")
    }

    @Test func anAnthropicLineGoesToAnthropic() throws {
        let line = #"{"custom_id":"c","params":{"model":"claude-x","max_tokens":5,\#(messages)}}"#
        #expect(try Self.job(line).target.description == "anthropic/claude-x")
        #expect(try Self.job(line, model: "openai/m").target.description == "anthropic/claude-x")
        #expect(try Self.job(line, provider: "local").target.description == "local/claude-x")
        // A provider that is not configured is refused, and not replaced by the default.
        let few = context(providers: ["local"])
        #expect(throws: InputError("unknown provider 'anthropic' in model 'anthropic/claude-x' (configured: local)", kind: .usage)) {
            try JobLine(context: few).draft(line).validated(in: few)
        }
    }

    @Test(arguments: [
        ("azure", #"{"custom_id":"c","method":"POST","url":"/chat/completions","body":{"model":"m",\#(messages)}}"#),
        ("no url", #"{"custom_id":"c","body":{"model":"m",\#(messages)}}"#),
        ("glm", #"{"custom_id":"c","method":"POST","url":"/v4/chat/completions","body":{"model":"m",\#(messages)}}"#),
        ("completions", #"{"custom_id":"c","method":"POST","url":"/v1/completions","body":{"model":"m","prompt":"x","echo":false}}"#),
        ("responses", #"{"custom_id":"c","method":"POST","url":"/v1/responses","body":{"model":"m","input":"x","store":true}}"#),
        ("null url", #"{"custom_id":"c","method":null,"url":null,"body":{"model":"m",\#(messages)}}"#),
    ])
    func theFormsThatPeopleHaveAreOneRequest(_ name: String, _ line: String) throws {
        let job = try Self.job(line)
        #expect((job.target.description, job.customID, job.kind) == ("openai/m", "c", .generate))
        #expect(try JSONValue.parse(job.body).canonicalText == #"{"messages":[{"content":"x","role":"user"}]}"#)
    }

    @Test func aResponsesRequestBecomesAChat() throws {
        let line = #"""
            {"custom_id":"qa-1","method":"POST","url":"/v1/responses","body":{"model":"m","instructions":"Tag it.",
            "input":[{"role":"user","content":[{"type":"input_text","text":"Where?"},{"type":"input_image","image_url":"https://a/b.png",
            "detail":"low"}]},{"type":"function_call","call_id":"f1","name":"find","arguments":"{}"},
            {"type":"function_call","call_id":"f2","name":"find","arguments":"{\"a\":1}"},
            {"type":"function_call_output","call_id":"f1","output":"here"},{"role":"assistant","content":[{"type":"output_text","text":"ok"}]}],
            "reasoning":{"effort":"low","summary":"auto"},"max_output_tokens":160,"text":{"verbosity":"low","format":{"type":"json_schema",
            "name":"n","strict":true,"schema":{"type":"object"}}},"tools":[{"type":"function","name":"find","parameters":{"type":"object"}}],
            "tool_choice":{"type":"function","name":"find"},"include":[],"truncation":"disabled","top_p":0.5}}
            """#
        let expected = #"""
            {"max_completion_tokens":160,"messages":[{"content":"Tag it.","role":"system"},{"content":[{"text":"Where?","type":"text"},
            {"image_url":{"detail":"low","url":"https://a/b.png"},"type":"image_url"}],"role":"user"},{"content":null,"role":"assistant",
            "tool_calls":[{"function":{"arguments":"{}","name":"find"},"id":"f1","type":"function"},
            {"function":{"arguments":"{\"a\":1}","name":"find"},"id":"f2","type":"function"}]},
            {"content":"here","role":"tool","tool_call_id":"f1"},{"content":[{"text":"ok","type":"text"}],"role":"assistant"}],
            "reasoning_effort":"low","response_format":{"json_schema":{"name":"n","schema":{"type":"object"},"strict":true},
            "type":"json_schema"},"tool_choice":{"function":{"name":"find"},"type":"function"},
            "tools":[{"function":{"name":"find","parameters":{"type":"object"}},"type":"function"}],"top_p":0.5,"verbosity":"low"}
            """#
        #expect(try JSONValue.parse(Self.job(line).body).canonicalText == JSONValue.parse(expected).canonicalText)
    }

    @Test(arguments: [("[1,2,3]", "[[1,2,3]]", 1), ("[[1,2],[3]]", "[[1,2],[3]]", 2), (#"["a","b"]"#, #"["a","b"]"#, 2)])
    func textsToEmbedMayBeGivenAsTokens(_ input: String, _ expected: String, _ count: Int) throws {
        let line =
            #"{"custom_id":"e","url":"/v1/embeddings","body":{"model":"m","input":\#(input),"dimensions":4,"encoding_format":"float"}}"#
        let job = try Self.job(line)
        #expect(try JSONValue.parse(job.body)["input"] == JSONValue.parse(expected))
        #expect((job.kind, job.inputs) == (.embed, count))
    }

    @Test(
        arguments: [
            (
                #"{"custom_id":"c","url":"/v1/responses","body":{"input":"x","previous_response_id":"r"}}"#, nil,
                "'previous_response_id' of a Responses request has no counterpart in a chat: take it out"
            ),
            (
                #"{"custom_id":"c","url":"/v1/responses","body":{"input":"x","tools":[{"type":"web_search"}]}}"#, nil,
                "the tool 'web_search' of a Responses request has no counterpart in a chat: take it out"
            ),
            (#"{"custom_id":"c","url":"/v1/responses","body":{"instructions":"x"}}"#, nil, "the body needs input"),
            (
                #"{"custom_id":"c","url":"/v1/completions","body":{"prompt":["a","b"]}}"#, nil,
                "prompt must be a string: put several prompts, each as a text, on lines of their own"
            ),
            (
                #"{"custom_id":"c","url":"/v1/completions","body":{"prompt":"a","suffix":"b"}}"#, nil,
                "suffix of a completion has no counterpart in a chat: take it out"
            ),
            (#"{"custom_id":"c","body":{"input":"x"}}"#, nil, "a line with input needs a url (/v1/embeddings or /v1/responses)"),
            (
                #"{"custom_id":"c","body":{\#(messages)}}"#, "local",
                "the line names no model (give lines without one a model of provider 'local', such as local/NAME)"
            ),
            (
                #"{"custom_id":"c","params":{"model":"claude-x","max_completion_tokens":5,\#(messages)}}"#, nil,
                "params holds 'max_completion_tokens', which only OpenAI's requests have; write an OpenAI request as "
                    + #"{"custom_id": …, "url": "/v1/chat/completions", "body": {…}}"#
            ),
            (
                #"{"custom_id":"c","params":{"model":"gpt-5",\#(messages)}}"#, nil,
                #"params names 'gpt-5', a model of OpenAI's; write an OpenAI request as {"custom_id": …, "url": "/v1/chat/completions", "#
                    + #""body": {…}}"#
            ),
        ] as [(String, String?, String)])
    func whatHasNoCounterpartIsRefusedWithWhatToDo(_ line: String, _ provider: String?, _ sentence: String) {
        #expect(Self.refusal(line, provider: provider) == sentence)
    }
}
