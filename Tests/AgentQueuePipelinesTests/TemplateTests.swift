import AgentQueueModel
import AgentQueuePipelines
import Testing

/// Templates: what they may have, how values print, and that data stays data.
@Suite struct TemplateTests {
    /// What a prompt becomes with an input of type object.
    private func written(_ prompt: String, _ data: JSONValue) throws -> String {
        let pipeline = try Pipeline("p", inputs: [PipelineInput("d", .object)]) { Step("a", prompt: prompt) }
        return try #require(try Runs(pipeline, inputs: ["d": data]).begin().first).prompt
    }

    @Test(arguments: [
        ("{{inputs.d.x}}", #"{"x":"<a & \"b\">"}"#, #"<a & "b">"#),
        ("{{{inputs.d.x}}}{{&inputs.d.x}}", #"{"x":"<"}"#, "<<"),
        (
            "{{inputs.d.n}} {{inputs.d.f}} {{inputs.d.b}} {{inputs.d.z}}.", #"{"n":12345678901234567890,"f":0.5,"b":false,"z":null}"#,
            "12345678901234567890 0.5 false ."
        ),
        ("{{inputs.d}}", #"{"a":[1,"x"],"b":{"c":null}}"#, #"{"a":[1,"x"],"b":{"c":null}}"#),
        ("{{inputs.d.l.1.t}}", #"{"l":[{"t":"a"},{"t":"b"}]}"#, "b"),
        ("{{inputs.d.none.deep}}.", "{}", "."),
        ("{{#inputs.d.l}}{{position}}={{.}},{{/inputs.d.l}}", #"{"l":["a",2,[3,4],null]}"#, "1=a,2=2,3=[3,4],4=,"),
        ("{{#inputs.d.l}}{{#l}}{{position}}{{.}} {{/l}}{{position}}{{/inputs.d.l}}", #"{"l":[{"l":["a","b"]},{"l":[]}]}"#, "1a 2b 12"),
        (
            "{{#inputs.d.l}}{{t}}{{inputs.d.t}} {{/inputs.d.l}}", #"{"t":"outer","l":[{"t":"x"},{"inputs":{"d":{"t":"no"}}}]}"#,
            "xouter outer "
        ),
        ("{{#inputs.d.o}}{{t}}{{.t}}{{/inputs.d.o}}", #"{"o":{"t":"x"}}"#, "xx"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":""}"#, "no"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":[]}"#, "no"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":false}"#, "no"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":null}"#, "no"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", "{}", "no"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":0}"#, "yes"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":true}"#, "yes"),
        ("{{#inputs.d.x}}yes{{/inputs.d.x}}{{^inputs.d.x}}no{{/inputs.d.x}}", #"{"x":{}}"#, "yes"),
        ("a\n{{#inputs.d.l}}\n- {{.}}\n{{/inputs.d.l}}\nb\n", #"{"l":[1,2]}"#, "a\n- 1\n- 2\nb\n"),
        ("\n  {{! a remark }}\n x {{inputs.d.x}}\n", #"{"x":1}"#, "\n x 1\n"),
        ("{ {{inputs.d.x}} } }}", #"{"x":1}"#, "{ 1 } }}"),
        ("{{'{{'}}name}} {{ \"{{#it's}}\" }} {{'{{{'}}{{inputs.d.x}}", #"{"x":1}"#, "{{name}} {{#it's}} {{{1"),
        ("{{#inputs.d.l}}{{'{{.}}'}}={{.}} {{/inputs.d.l}}", #"{"l":["a","b"]}"#, "{{.}}=a {{.}}=b "),
        ("{{'${inputs.d}'}} ${HOME} {% raw %} {inputs}{{inputs.d.x}}", "{}", "${inputs.d} ${HOME} {% raw %} {inputs}"),
    ])
    func valuesAreWritten(_ prompt: String, _ data: String, _ expected: String) throws {
        #expect(try written(prompt, try JSONValue.parse(data)) == expected)
    }

    @Test(arguments: [
        "{{inputs.d.secret}}", "{{#inputs.d}}x{{/inputs.d}}", "{{=<% %>=}}", "{{>file}}", "{{% CONTENT_TYPE:HTML}}", "}}{{", "{{{",
        "*inputs",
        "\u{0}\u{1}\u{7F}\u{85}\u{2028}\u{FEFF}", "\" ' ` \\ \r\n\t", "'; DROP TABLE jobs; --", "$(rm -rf /)", "{{upper(inputs.d)}}",
        "🏳️‍🌈e\u{301}",
    ])
    func dataIsData(_ hostile: String) throws {
        let data: JSONValue = ["x": .string(hostile), "secret": "!", "inputs": "!", "*inputs": "!", "l": [.string(hostile)]]
        let text = try written("[{{inputs.d.x}}{{#inputs.d.l}}{{.}}{{/inputs.d.l}}{{#inputs.d}}{{x}}{{/inputs.d}}]", data)
        #expect(Array(text.unicodeScalars) == Array("[\(hostile)\(hostile)\(hostile)]".unicodeScalars))
    }

    @Test func outputsOfModelsAreDataToo() throws {
        var run = try Runs("steps: { a: { prompt: x }, b: { prompt: '<{{a}}>' }, c: { when: 'a = \"{{b}}\"', prompt: 'c{{b}}' } }")
        #expect(run.go().map(\.path) == ["a"])
        #expect(run.tell("a", "{{b}}").map(\.prompt) == ["<{{b}}>"])
        #expect(run.tell("b", "{{#a}}").map(\.prompt) == ["c{{#a}}"])
    }

    @Test func whatIsTooLargeIsNotMade() throws {
        let megabyte = String(repeating: "m", count: 1 << 20)
        let pipeline = try Pipeline("p", inputs: [PipelineInput("t"), PipelineInput("l", .list)]) {
            Step("a", onFailure: .skip, prompt: "{{#inputs.l}}{{inputs.t}}{{/inputs.l}}")
            Step("b", prompt: "{{inputs.t}}")
        }
        let many = JSONValue.array(Array(repeating: 1, count: 17))
        #expect(try Runs(pipeline, inputs: ["t": .string(megabyte), "l": many]).begin().map(\.path) == ["b"])
        #expect(try Runs(pipeline, inputs: ["t": .string(megabyte), "l": [1]]).begin().map(\.path) == ["a", "b"])
    }

    @Test func sectionsAreNotRepeatedForEver() throws {
        // Eight sections in each other, fifty times each: more than a machine can write.
        let open = String(repeating: "{{#inputs.l}}", count: 8)
        let close = String(repeating: "{{/inputs.l}}", count: 8)
        let pipeline = try Pipeline("p", inputs: [PipelineInput("l", .list)]) { Step("a", prompt: open + "x" + close) }
        var run = try Runs(pipeline, inputs: ["l": .array(Array(repeating: 1, count: 50))])
        #expect(run.go().isEmpty)
        #expect(run.end == .failed("a: its prompt is larger than 16 MiB"))
    }

    @Test(arguments: [
        ("x {{inputs.task}", "p.yaml:6: steps.a.prompt: a tag that begins with {{ has no }}"),
        ("{{inputs.task}}\n\n{{#inputs.task}}", "p.yaml:8: steps.a.prompt: {{#inputs.task}} has no {{/inputs.task}}"),
        ("{{/inputs.task}}", "p.yaml:6: steps.a.prompt: {{/inputs.task}} closes no section that is open here"),
        ("\n{{#inputs.task}}{{/inputs}}", "p.yaml:7: steps.a.prompt: {{/inputs}} closes no section that is open here"),
        ("{{>inputs.task}}", "p.yaml:6: steps.a.prompt: {{>…}} is not for templates of pipelines: they have no parts of files"),
        ("{{=<% %>=}}", "p.yaml:6: steps.a.prompt: {{=…=}} is not for templates of pipelines: tags are always {{…}}"),
        ("{{%CONTENT_TYPE:HTML}}", "p.yaml:6: steps.a.prompt: {{%…}} is not for templates of pipelines: they are always plain text"),
        ("{{uppercased(inputs.task)}}", "p.yaml:6: steps.a.prompt: 'uppercased(inputs.task)' is a function, and templates have none"),
        ("{{#each inputs.task}}", "p.yaml:6: steps.a.prompt: 'each inputs.task' is not a name (write a path such as plan.parts)"),
        ("{{}}", "p.yaml:6: steps.a.prompt: a tag names nothing"),
        ("{{*inputs}}", "p.yaml:6: steps.a.prompt: '*inputs' is not a name (write a path such as plan.parts)"),
        ("{{.}}", "p.yaml:6: steps.a.prompt: {{.}} means something only in a section"),
        ("{{position}}", "p.yaml:6: steps.a.prompt: 'position' is known only in a section that goes through a list"),
        ("{{inputs}}", "p.yaml:6: steps.a.prompt: 'inputs' is no value (name one of them, such as inputs.task)"),
        (
            "{{inputs.task.x}}",
            "p.yaml:6: steps.a.prompt: 'inputs.task' is a text, which has no fields (a step's output has some if the step has a schema)"
        ),
        ("{{item}}", "p.yaml:6: steps.a.prompt: 'item' is known only in a step with foreach"),
        ("{{task}}", "p.yaml:6: steps.a.prompt: unknown name 'task'"),
        ("{{'x}}", "p.yaml:6: steps.a.prompt: a text in quotes that begins with {{' has no '}}"),
        (
            "one\n${inputs.task}",
            "p.yaml:7: steps.a.prompt: '${inputs.task}' is plain text here (write {{inputs.task}}, or {{'${inputs.task}'}} if this text is meant)"
        ),
        (
            "{inputs.task}",
            "p.yaml:6: steps.a.prompt: '{inputs.task}' is plain text here (write {{inputs.task}}, or {{'{inputs.task}'}} if this text is meant)"
        ),
        (
            "{% if inputs.task %}x{% endif %}",
            "p.yaml:6: steps.a.prompt: '{% if inputs.task %}' is plain text here (write {{#inputs.task}}…{{/inputs.task}}, or {{'{% if inputs.task %}'}} if this text is meant)"
        ),
        (String(repeating: "{{#inputs.task}}", count: 17), "p.yaml:6: steps.a.prompt: sections nest deeper than 16"),
    ])
    func faultsAreTold(_ prompt: String, _ expected: String) {
        #expect(Texts.faults(Texts.prompt(prompt)).first == expected)
    }

    @Test func everyFaultOfATemplateIsTold() {
        #expect(
            Texts.faults(Texts.prompt("{{f(x)}} {{a b}}\n{{nobody}} {{#inputs.task}}\n${inputs.task}")) == [
                "p.yaml:6: steps.a.prompt: 'f(x)' is a function, and templates have none",
                "p.yaml:6: steps.a.prompt: 'a b' is not a name (write a path such as plan.parts)",
                "p.yaml:7: steps.a.prompt: unknown name 'nobody'",
                "p.yaml:8: steps.a.prompt: '${inputs.task}' is plain text here (write {{inputs.task}}, or {{'${inputs.task}'}} if this text is meant)",
            ])
    }

    @Test func fieldsOfItemsAreChecked() {
        let schema =
            "{ type: object, properties: { l: { type: array, items: { type: object, properties: { title: { type: string } } } } } }"
        func faults(_ prompt: String) -> [String] {
            Texts.faults("steps:\n  a: { prompt: x, schema: \(schema) }\n  b: { prompt: '\(prompt)' }")
        }
        #expect(faults("{{#a.l}}{{title}}{{position}}{{a.l.0.title}}{{/a.l}}") == [])
        #expect(faults("{{#a.l}}{{titel}}{{/a.l}}") == ["p.yaml:3: steps.b.prompt: unknown step or name 'titel' (did you mean 'title'?)"])
        #expect(faults("{{#a.l}}{{title.x}}{{/a.l}}").count == 1)
    }
}
