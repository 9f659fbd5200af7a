import AgentQueueModel
import Foundation
import Testing

@testable import AgentQueue

@Suite struct JobLineTests {
    @Test func oursHoldsEveryOption() throws {
        let line = """
            {"prompt":"Hi","system":"S","model":"openai/gpt-5","max_tokens":7,"temperature":0,"top_p":1,"stop":["a"],"seed":3,\
            "queue":"q","priority":2,"delay":"10m","expires_in":7200,"max_attempts":3,"timeout":1.5,"unique_key":"u","custom_id":"c",\
            "tags":["t"],"batch":"b","after":[1,2],"metadata":{"k":[1,null]},"cache":false,"sample":1,"kind":"generate"}
            """
        let job = try outcome(line).get()
        #expect(
            job.body == """
                {"max_tokens":7,"messages":[{"role":"system","content":"S"},{"role":"user","content":"Hi"}],"sample":1,"seed":3,\
                "stop":["a"],"temperature":0,"top_p":1}
                """)
        #expect((job.target.description, job.queue, job.priority, job.maxAttempts) == ("openai/gpt-5", "q", 2, 3))
        #expect((job.scheduledAt, job.expiresAt, job.timeout) == (now + 600_000, now + 7_200_000, 1_500))
        #expect((job.uniqueKey, job.customID, job.tags, job.batch, job.after) == ("u", "c", ["t"], "b", [1, 2]))
        #expect((job.metadata, job.useCache) == (["k": [1, .null]], false))
    }

    @Test(
        arguments: [
            (#"{"prompt":"x","at":"2026-11-22T01:00+01:00"}"#, nil), (#"{"prompt":"x","at":"2026-11-22T01:00Z"}"#, now + 3_600_000),
            (#"{"prompt":"x","delay":0}"#, nil), (#"{"prompt":"x","delay":0.25}"#, now + 250), (#"{"prompt":"x","delay":null}"#, nil),
            (#"{"prompt":"x","delay":"1w"}"#, now + 604_800_000),
        ] as [(String, Int64?)])
    func times(_ line: String, _ expected: Int64?) throws {
        #expect(try outcome(line).get().scheduledAt == expected)
    }

    @Test(arguments: [
        (#"{"role":"user","content":"a"}"#, true), (#"{"role":"tool","content":"","tool_call_id":"c"}"#, true),
        (#"{"role":"assistant","content":null,"tool_calls":[{"id":"c"}]}"#, true), (#"{"role":"assistant","tool_calls":[]}"#, true),
        (#"{"role":"developer","content":[{"type":"text","text":"a"}]}"#, true),
        (#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x"}}],"name":"n"}"#, true),
        (#"{"role":"user","content":""}"#, false), (#"{"role":"user"}"#, false), (#"{"role":"user","content":7}"#, false),
        (#"{"role":"user","content":[]}"#, false), (#"{"role":"user","content":["a"]}"#, false),
        (#"{"role":"user","content":[{"text":"a"}]}"#, false), (#"{"role":"user","content":[{"type":"text"}]}"#, false),
        (#"{"role":"user","content":[{"type":"text","text":"\u0000"}]}"#, false),
        (#"{"role":"user","content":[{"type":"x","y":{"z":["\u0000"]}}]}"#, false),
        (#"{"role":"user","content":"a\u0000"}"#, false), (#"{"role":"user","content":"a","name":"\u0000"}"#, false),
        (#"{"role":"assistant","content":null}"#, false), (#"{"content":"a"}"#, false), (#"{"role":1,"content":"a"}"#, false),
        (#""a""#, false),
    ])
    func messages(_ message: String, _ isGood: Bool) throws {
        let line = #"{"messages":[\#(message)]}"#
        if isGood {
            #expect(try body(line) == JSONValue.parse(line).text)
        } else {
            let message = try #require(refusal(line))
            #expect(message.contains("message 1"), "\(message)")
        }
    }

    @Test(arguments: [
        (#"{"prompt":"x","piority":1}"#, "unknown key 'piority' (did you mean 'priority'?)"),
        (#"{"prompt":"x","temprature":1}"#, "unknown key 'temprature' (did you mean 'temperature'?)"),
        (#"{"prompt":"x","qqqqqqq":1}"#, "unknown key 'qqqqqqq'"),
        (#"{"prompt":"x","a\u001b[31m":1}"#, #"unknown key 'a\u{1b}[31m'"#),
        (#"{"messages":[{"role":"usr","content":"a"}]}"#, "message 1 has the unknown role 'usr' (did you mean 'user'?)"),
        (
            #"{"messages":[{"role":"function","content":"a"}]}"#,
            "message 1 has the unknown role 'function' (known: system, developer, user, assistant, tool)"
        ),
        (#"{"messages":[]}"#, "messages is an empty list"), (#"{"messages":{}}"#, "messages must be a list, not an object"),
        (#"{"prompt":5}"#, "prompt must be a string, not a number"), (#"{"prompt":null}"#, "a job needs a prompt or messages"),
        ("{}", "a job needs a prompt or messages"), (#"{"prompt":""}"#, "the prompt is empty"),
        (#"{"prompt":"a","messages":[{"role":"user","content":"b"}]}"#, "prompt and messages cannot both be given"),
        ("[1]", "a line must hold an object, not a list"), ("7", "a line must hold an object, not a number"),
        (#"{"prompt":"x","prompt":"y"}"#, "not valid JSON at byte 15: the key 'prompt' stands twice"),
        (#"{"prompt":"x"} {}"#, "not valid JSON at byte 16: something follows the value"),
        ("not json", "not valid JSON at byte 2: unknown word"),
        (#"{"prompt":"x","delay":-1}"#, "delay cannot be negative"),
        (#"{"prompt":"x","delay":1e300}"#, "delay is too long (at most 3660d)"),
        (#"{"prompt":"x","delay":99999999999999999999}"#, "delay is too long (at most 3660d)"),
        (#"{"prompt":"x","delay":true}"#, #"delay must be a duration such as "10m", or seconds, not a truth value"#),
        (#"{"prompt":"x","delay":"soon"}"#, "delay 'soon' is not a duration (write 10ms, 30s, 1h30m or 7d)"),
        (#"{"prompt":"x","timeout":0}"#, "timeout must be at least 1 ms"),
        (#"{"prompt":"x","at":"2026-02-30T00:00Z"}"#, "at '2026-02-30T00:00Z' is not a time that exists"),
        (#"{"prompt":"x","at":"2026-12-01T00:00Z","delay":1}"#, "delay and at cannot both be given"),
        (#"{"prompt":"x","priority":1.5}"#, "priority must be a whole number"),
        (#"{"prompt":"x","priority":"1"}"#, "priority must be a whole number, not a string"),
        (#"{"prompt":"x","temperature":"hot"}"#, "temperature must be a number, not a string"),
        (#"{"prompt":"x","cache":1}"#, "cache must be true or false, not a number"),
        (#"{"prompt":"x","tags":"a"}"#, "tags must be a list, not a string"),
        (#"{"prompt":"x","tags":[1]}"#, "tags must be a list of strings, but holds a number"),
        (#"{"prompt":"x","after":[1.5]}"#, "after must be a list of job ids, but holds a number"),
        (#"{"prompt":"x","after":[-1]}"#, "after: -1 is not a job's id"),
        (#"{"prompt":"x","metadata":"a"}"#, "metadata must be an object, not a string"),
        (#"{"prompt":"x","metadata":{"a":"\u0000"}}"#, "metadata holds a NUL character"),
        (#"{"prompt":"x\u0000y"}"#, "the prompt holds a NUL character"),
        (#"{"prompt":"x","schema":false}"#, "schema must be an object, not a truth value"),
        (
            #"{"prompt":"x","schema":{"properties":{"a":{"type":"strng"}}}}"#,
            "schema cannot be used: at /properties/a: type must be one of null, boolean, integer, number, string, array, object, not 'strng'"
        ),
        (#"{"prompt":"x","schema":{"const":"\u0000"}}"#, "schema holds a NUL character"),
        (#"{"prompt":"x","schema":{},"response_format":{"type":"text"}}"#, "schema and response_format cannot both be given"),
        (
            #"{"prompt":"x","schema":{},"output_config":{"format":{"type":"json_schema"}}}"#,
            "schema and response_format cannot both be given"
        ),
        (#"{"prompt":"x","response_format":{"type":"json_schema"}}"#, "response_format needs a json_schema with a schema"),
        (
            #"{"prompt":"x","response_format":{"type":"json_schema","json_schema":{"schema":{"$ref":"x.json"}}}}"#,
            "the schema in response_format cannot be used: $ref 'x.json' leads out of the schema; only references within it are supported"
        ),
        (
            #"{"custom_id":"c","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"x"}],"#
                + #""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":7}}}}"#,
            "the schema in response_format cannot be used: a schema must be an object, true or false, not a number"
        ),
        (#"{"kind":"embed","input":"x","schema":{}}"#, "schema has no meaning for an embed job"),
        (#"{"prompt":"x","budget":0}"#, "budget must be more than 0 and at most 1000000 US dollars, not 0.0"),
        (#"{"prompt":"x","budget":-1}"#, "budget must be more than 0 and at most 1000000 US dollars, not -1.0"),
        (#"{"prompt":"x","budget":1000001}"#, "budget must be more than 0 and at most 1000000 US dollars, not 1000001.0"),
        (#"{"prompt":"x","budget":"1"}"#, "budget must be a number, not a string"),
        (#"{"text":"x"}"#, #"text needs "kind": "memorize" beside it"#),
        (#"{"kind":"generat","prompt":"x"}"#, "unknown kind 'generat' (did you mean 'generate'?)"),
        (#"{"kind":"dream","prompt":"x"}"#, "unknown kind 'dream' (generate, embed or memorize)"),
        (#"{"input":"x"}"#, #"input needs "kind": "embed" beside it"#),
        (#"{"kind":"embed","input":[1,2]}"#, "input must be a list of strings, but holds a number"),
        (#"{"kind":"embed","input":7}"#, "input must be a string or a list of strings, not a number"),
        (#"{"kind":"embed","input":[]}"#, "an embed job needs at least one text as input"),
        (#"{"kind":"embed","input":"x","system":"s"}"#, "system has no meaning for an embed job"),
        (#"{"prompt":"x","model":"local/"}"#, "model 'local/' is not a target (write provider/model, such as local/smollm2)"),
        (#"{"prompt":"x","model":"locl/m"}"#, "unknown provider 'locl' in model 'locl/m' (did you mean 'local'?)"),
        (#"{"custom_id":"c","body":{}}"#, "the body needs messages, or the line a url that says what it is"),
        (#"{"url":"/v1/chat/completions","body":{}}"#, "an OpenAI batch line needs a custom_id"),
        (#"{"custom_id":"c","url":"/v1/chat/completions","body":{}}"#, "the body needs messages"),
        (#"{"custom_id":"c","url":"/v1/chat/completions","body":7}"#, "body must be an object, not a number"),
        (#"{"custom_id":"c","url":"/v1/chat/completions","method":"GET","body":{}}"#, "method must be POST, not 'GET'"),
        (
            #"{"custom_id":"c","url":"/v1/moderations","body":{}}"#,
            "url '/v1/moderations' is not supported (chat/completions, responses, embeddings and completions are)"
        ),
        (
            #"{"custom_id":"c","urll":"x","body":{}}"#, "unknown key 'urll' in an OpenAI batch line (did you mean 'url'?)"
        ),
        (
            #"{"custom_id":"c","url":"/v1/embeddings","body":{"input":[["a"]]}}"#,
            "input must be a string, a list of strings, or lists of tokens (whole numbers)"
        ),
        (#"{"custom_id":"c","params":{}}"#, "params needs messages"), (#"{"params":{}}"#, "an Anthropic batch line needs a custom_id"),
        (
            #"{"custom_id":"c","params":{"max_tokens":0,"messages":[{"role":"user","content":"x"}]}}"#,
            "max_tokens must be 1 to 10000000, not 0"
        ),
        (
            #"{"custom_id":"c","params":{"system":[{"type":"image"}],"messages":[]}}"#, "system must be a string or a list of text blocks"
        ),
        (#"{"custom_id":"c","params":{"stop":"x","messages":[]}}"#, "unknown key 'stop' in params (did you mean 'stop_sequences'?)"),
        (#"{"custom_id":"c","params":{"system":"s","messages":[]}}"#, "messages is an empty list"),
    ])
    func refuses(_ line: String, _ sentence: String) {
        #expect(refusal(line) == sentence)
    }

    @Test func hostileJSONIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(refusal(#"{"prompt":"x","metadata":{"a":\#(deep)}}"#)?.contains("nested deeper than 512") == true)
        #expect(refusal(deep)?.contains("nested deeper than 512") == true)
        let badUTF8 = Array(#"{"prompt":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        let reader = JobLine(defaults: JobDraft(), context: context())
        #expect(throws: InputError("not valid JSON at byte 12: invalid UTF-8", kind: .badData)) {
            try badUTF8.withUnsafeBytes { try reader.draft($0) }
        }
        let rawNUL = Array("{\"prompt\":\"a\0b\"}".utf8)
        #expect(throws: InputError("not valid JSON at byte 13: a raw control character in a string", kind: .badData)) {
            try rawNUL.withUnsafeBytes { try reader.draft($0) }
        }
        let huge = String(repeating: "x", count: JobLimits.maxPromptBytes + 1)
        #expect(refusal(#"{"prompt":"\#(huge)"}"#) == "the prompt is 16777217 bytes long (at most 16MiB)")
    }

    @Test func openAILines() throws {
        let chat = """
            {"custom_id":"c-1","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-x","messages":[{"role":"user",\
            "content":"Hi"}],"max_completion_tokens":5,"temperature":1,"stream":false,"n":1,"new_thing":{"a":[1]},"seed":null}}
            """
        let job = try outcome(chat).get()
        #expect((job.customID, job.target.description) == ("c-1", "openai/gpt-x"))
        #expect(
            job.body == """
                {"max_completion_tokens":5,"messages":[{"role":"user","content":"Hi"}],"new_thing":{"a":[1]},"temperature":1}
                """)
        let embed = """
            {"custom_id":"e","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"a","dimensions":8,\
            "encoding_format":"base64"}}
            """
        let vectors = try outcome(embed).get()
        #expect((vectors.kind, vectors.target.description) == (.embed, "openai/m"))
        #expect(vectors.body == #"{"dimensions":8,"input":["a"]}"#)
    }

    @Test func anthropicLines() throws {
        let line = """
            {"custom_id":"a-1","params":{"model":"claude-sonnet-5","max_tokens":9,"system":[{"type":"text","text":"S",\
            "cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],\
            "stop_sequences":["END"],"thinking":{"type":"adaptive"},"stream":false,"metadata":{"user_id":"u"}}}
            """
        let job = try outcome(line, JobDraft(), context(providers: ["local", "anthropic"])).get()
        #expect((job.customID, job.target.description, job.metadata) == ("a-1", "anthropic/claude-sonnet-5", nil))
        #expect(
            job.body == """
                {"max_tokens":9,"messages":[{"role":"system","content":[{"type":"text","text":"S",\
                "cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"Hi"}]}],"metadata":{"user_id":"u"},\
                "stop":["END"],"thinking":{"type":"adaptive"}}
                """)
        let plain = #"{"custom_id":"a","params":{"system":"S","messages":[{"role":"user","content":"Hi"}]}}"#
        #expect(try body(plain) == #"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"Hi"}]}"#)
        let none = #"{"custom_id":"a","params":{"system":"","messages":[{"role":"user","content":"Hi"}]}}"#
        var defaults = JobDraft()
        defaults.system = "D"
        #expect(try body(none, defaults) == #"{"messages":[{"role":"user","content":"Hi"}]}"#)
    }

    @Test func defaultsHoldWhereALineSaysNothing() throws {
        var defaults = JobDraft()
        defaults.model = "openai/m"
        defaults.system = "D"
        (defaults.maxTokens, defaults.temperature, defaults.queue, defaults.priority) = (3, 1, "q", 7)
        (defaults.delay, defaults.tags, defaults.batch, defaults.cache) = (.seconds(1), ["t"], "b", false)
        let job = try outcome(#"{"prompt":"x"}"#, defaults).get()
        #expect((job.target.description, job.queue, job.priority, job.scheduledAt) == ("openai/m", "q", 7, now + 1_000))
        #expect((job.tags, job.batch, job.useCache) == (["t"], "b", false))
        #expect(
            job.body == """
                {"max_tokens":3,"messages":[{"role":"system","content":"D"},{"role":"user","content":"x"}],"temperature":1}
                """)

        let own = try outcome(
            #"{"prompt":"x","system":"","queue":"r","tags":[],"at":"2026-12-01T00:00Z","cache":true,"max_tokens":9,"temperature":0}"#,
            defaults
        ).get()
        #expect((own.queue, own.tags, own.useCache) == ("r", [], true))
        #expect(own.scheduledAt == now + 9 * 86_400_000)
        #expect(own.body == #"{"max_tokens":9,"messages":[{"role":"user","content":"x"}],"temperature":0}"#)

        let system = #"{"messages":[{"role":"system","content":"L"},{"role":"user","content":"x"}],"max_tokens":null}"#
        #expect(
            try body(system, defaults) == """
                {"max_tokens":3,"messages":[{"role":"system","content":"L"},{"role":"user","content":"x"}],"temperature":1}
                """)
        #expect(try body(#"{"kind":"embed","input":"x"}"#, defaults) == #"{"input":["x"]}"#)
        let embed = #"{"custom_id":"c","url":"/v1/embeddings","body":{"input":"x"}}"#
        #expect(try body(embed, defaults) == #"{"input":["x"]}"#)
    }
}
