import AgentQueueModel
import Testing

@testable import AgentQueue

@Suite struct JobSchemaTests {
    private static let format =
        #""response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":false}}"#
    private static let asked = #""messages":[{"role":"user","content":"x"}]"#

    @Test func aSchemaBecomesAResponseFormat() throws {
        let job = try outcome(#"{"prompt":"x","schema":{"type":"object"}}"#).get()
        #expect(job.body == "{\(Self.asked),\(Self.format)}")
        let request = ModelRequest(kind: .generate, target: job.target, body: try JSONValue.parse(job.body))
        #expect(request.schemaValue == ["type": "object"])
        #expect(try body(#"{"prompt":"x","schema":null}"#) == "{\(Self.asked)}")
        // Another schema is another question.
        #expect(try outcome(#"{"prompt":"x","schema":{}}"#).get().digest != job.digest)
    }

    @Test func whatIsGivenKeepsItsOrder() throws {
        let schema = #"{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}"#
        #expect(try body(#"{"prompt":"x","schema":\#(schema)}"#).contains(#""schema":\#(schema)"#))
        let tools = #""tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}]"#
        #expect(try body(#"{"prompt":"x",\#(tools)}"#) == "{\(Self.asked),\(tools)}")
        let call = #"{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function"}]}"#
        #expect(try body(#"{"messages":[\#(call)]}"#) == #"{"messages":[\#(call)]}"#)
    }

    @Test func aWrappedSchemaIsTheSameQuestion() throws {
        let schema = #"{"type":"object"}"#
        let plain = try outcome(#"{"prompt":"x","schema":\#(schema)}"#).get()
        let wrappings = [
            #"{"name":"n","strict":true,"schema":\#(schema)}"#,
            #"{"type":"json_schema","json_schema":{"name":"n","schema":\#(schema)}}"#,
        ]
        for wrapped in wrappings {
            #expect(try outcome(#"{"prompt":"x","schema":\#(wrapped)}"#).get().digest == plain.digest)
        }
        #expect(try body(#"{"prompt":"x","schema":true}"#).contains(#""schema":{}"#))
    }

    /// Strict mode is asked for only with schemas that it takes.
    @Test func strictModeIsForSchemasThatItTakes() throws {
        for (property, isStrict) in [(#"{"type":"string"}"#, true), (#"{"oneOf":[{"type":"string"}]}"#, false)] {
            let closed = #"{"type":"object","properties":{"a":\#(property)},"required":["a"],"additionalProperties":false}"#
            #expect(try body(#"{"prompt":"x","schema":\#(closed)}"#).contains(#""strict":\#(isStrict)"#))
        }
    }

    @Test func aResponseFormatIsPassedThrough() throws {
        let own = #""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"null"}}}"#
        for form in [own, #""response_format":{"type":"json_object"}"#, #""response_format":{"type":"text"}"#] {
            #expect(try body(#"{"prompt":"x",\#(form)}"#) == "{\(Self.asked),\(form)}")
            let line = #"{"custom_id":"c","url":"/v1/chat/completions","body":{"stream":true,\#(Self.asked),\#(form)}}"#
            #expect(try body(line) == "{\(Self.asked),\(form)}")
        }
    }

    /// A default schema holds for lines that say nothing of the answer's form, and for no embed line.
    @Test func aDefaultSchemaGivesWay() throws {
        var defaults = JobDraft()
        defaults.schema = ["type": "object"]
        #expect(try body(#"{"prompt":"x"}"#, defaults) == "{\(Self.asked),\(Self.format)}")
        let chat = #"{"custom_id":"c","url":"/v1/chat/completions","body":{\#(Self.asked)}}"#
        #expect(try body(chat, defaults) == "{\(Self.asked),\(Self.format)}")
        #expect(try body(#"{"custom_id":"c","params":{\#(Self.asked)}}"#, defaults) == "{\(Self.asked),\(Self.format)}")

        let text = #""response_format":{"type":"text"}"#
        #expect(try body(#"{"prompt":"x",\#(text)}"#, defaults) == "{\(Self.asked),\(text)}")
        #expect(try body(#"{"prompt":"x","schema":{}}"#, defaults).contains(#""schema":{}"#))
        let line = #"{"custom_id":"c","url":"/v1/chat/completions","body":{\#(Self.asked),\#(text)}}"#
        #expect(try body(line, defaults) == "{\(Self.asked),\(text)}")
        let config = #""output_config":{"format":{"type":"json_schema"}}"#
        #expect(try body(#"{"custom_id":"c","params":{\#(Self.asked),\#(config)}}"#, defaults) == "{\(Self.asked),\(config)}")
        #expect(try body(#"{"kind":"embed","input":"x"}"#, defaults) == #"{"input":["x"]}"#)
        #expect(try body(#"{"custom_id":"c","url":"/v1/embeddings","body":{"input":"x"}}"#, defaults) == #"{"input":["x"]}"#)
    }

    /// What spares checking a schema twice must not spare checking another.
    @Test func everySchemaIsChecked() {
        let context = context()
        let good = #"{"prompt":"x","schema":{"type":"null"}}"#
        let bad = #"{"prompt":"x","schema":{"type":"nul"}}"#
        for (line, isGood) in [(good, true), (bad, false), (good, true), (good, true), (bad, false), (bad, false)] {
            #expect(((try? outcome(line, JobDraft(), context).get()) != nil) == isGood)
        }
    }

    @Test func aBadSchemaIsBadData() {
        var draft = JobDraft()
        draft.prompt = "x"
        draft.schema = ["type": 3]
        guard case .failure(let error) = outcome(of: draft) else {
            Issue.record("a type is no number")
            return
        }
        #expect(error == InputError("schema cannot be used: type must be a type's name or a list of them, not a number", kind: .badData))
        draft.schema = "x"
        #expect((try? outcome(of: draft).get()) == nil)
        draft.schema = ["name": "p", "parameters": ["type": "object"]]
        guard case .failure(let none) = outcome(of: draft) else {
            Issue.record("a function is no schema")
            return
        }
        #expect(
            none.message == "schema cannot be used: it has no keyword of JSON Schema, such as type or properties, and 'name' is none")
    }

    @Test func budgetAndStreamArrive() throws {
        var defaults = JobDraft()
        #expect(try outcome(#"{"prompt":"x"}"#, defaults).get().budget == nil)
        #expect(try outcome(#"{"prompt":"x","budget":0.25}"#, defaults).get().budget == 0.25)
        #expect(try outcome(#"{"prompt":"x","budget":1000000}"#, defaults).get().budget == 1_000_000)
        #expect(try outcome(#"{"kind":"embed","input":"x","budget":1}"#, defaults).get().budget == 1)
        defaults.budget = 3
        #expect(try outcome(#"{"prompt":"x"}"#, defaults).get().budget == 3)
        #expect(try outcome(#"{"prompt":"x","budget":1}"#, defaults).get().budget == 1)

        var draft = JobDraft()
        draft.prompt = "x"
        #expect(try !outcome(of: draft).get().isStreamed)
        draft.isStreamed = true
        let job = try outcome(of: draft).get()
        #expect(job.isStreamed && job.body == "{\(Self.asked)}")
        #expect(try !outcome(#"{"prompt":"x","stream":true}"#).get().isStreamed)

        for budget in [Double.nan, .infinity, 0, -0.0, 1_000_000.01] {
            draft.budget = budget
            #expect((try? outcome(of: draft).get()) == nil)
        }
        var embed = JobDraft(kind: .embed)
        (embed.inputs, embed.isStreamed) = (["x"], true)
        #expect((try? outcome(of: embed).get()) == nil)
    }
}
