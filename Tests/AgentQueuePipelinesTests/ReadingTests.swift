import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import Foundation
import Testing

/// What pipelines are made of, and every fault that a file can have, with its place.
@Suite struct ReadingTests {
    @Test func theShippedOnesHaveNoFault() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../config/pipelines").standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".yaml") }
        #expect(files.count >= 5)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            #expect(Pipeline.check(yaml: text, path: file).map(\.description) == [])
            let pipeline = try Pipeline(yaml: text, path: file)
            #expect(try Pipeline(definition: pipeline.definition).definition == pipeline.definition)
            #expect(!pipeline.nodes.isEmpty)
        }
    }

    @Test(arguments: [
        ("", "p.yaml: is empty"),
        (
            "steps: [a",
            "p.yaml:2: this is not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence, which began on line 1)"
        ),
        ("step: {}", "p.yaml:1: unknown key 'step' (did you mean 'steps'?)"),
        ("name: p", "p.yaml: steps: has no steps"),
        ("steps: {}", "p.yaml:1: steps: has no steps"),
        ("name: a b\nsteps: { a: { prompt: x } }", "p.yaml:1: name: 'a b' is not a name (1 to 64 letters, digits, _ and -)"),
        ("steps:\n  a:\n    promt: x", "p.yaml:3: steps.a: unknown key 'promt' (did you mean 'prompt'?)"),
        ("steps:\n  a: { role: x }", "p.yaml:2: steps.a.prompt: is missing"),
        ("steps:\n  a: { prompt: }", "p.yaml:2: steps.a.prompt: has no value"),
        ("steps:\n  a: { prompt: [x] }", "p.yaml:2: steps.a.prompt: expected a text, found a list"),
        ("steps:\n  a: { prompt: ' ' }", "p.yaml:2: steps.a.prompt: is empty"),
        ("steps:\n  a: hello", "p.yaml:2: steps.a: expected keys and values here, found a single value"),
        (
            "steps:\n  1a: { prompt: x }",
            "p.yaml:2: steps.1a: is not a name for a step (1 to 64 letters, digits, _ and -, the first a letter or _)"
        ),
        (
            "steps:\n  item: { prompt: x }",
            "p.yaml:2: steps.item: 'item' means something else in templates and conditions (choose another name)"
        ),
        ("steps:\n  a: { prompt: x, role: r }\nroles: { rr: {} }", "p.yaml:2: steps.a.role: unknown role 'r' (did you mean 'rr'?)"),
        ("steps:\n  a: { prompt: x, needs: b }\n  bb: { prompt: x }", "p.yaml:2: steps.a.needs: unknown step 'b' (did you mean 'bb'?)"),
        ("steps:\n  a: { prompt: x, needs: a }", "p.yaml:2: steps.a.needs: a step cannot wait for itself"),
        ("steps:\n  a: { prompt: '{{b}}' }\n  b: { prompt: '{{a}}' }", "p.yaml:2: steps.a: steps wait for each other: a needs b needs a"),
        ("steps:\n  a: { prompt: '{{a}}' }", "p.yaml:2: steps.a.prompt: 'a' cannot use its own output"),
        ("steps:\n  a: { prompt: x, temperature: 3 }", "p.yaml:2: steps.a.temperature: 3.0 is out of range (0 to 2)"),
        ("steps:\n  a: { prompt: x, max_tokens: many }", "p.yaml:2: steps.a.max_tokens: expected a whole number, found 'many'"),
        (
            "steps:\n  a: { prompt: x, model: claude }",
            "p.yaml:2: steps.a.model: 'claude' is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)"
        ),
        ("steps:\n  a: { prompt: x, timeout: 5x }", "p.yaml:2: steps.a.timeout: '5x' is not a duration (write 10ms, 30s, 1h30m or 7d)"),
        ("steps:\n  a: { prompt: x, budget: 0 }", "p.yaml:2: steps.a.budget: must be more than 0 and at most 1000000 US dollars, not 0.0"),
        ("steps:\n  a: { prompt: x, cache: maybe }", "p.yaml:2: steps.a.cache: expected true or false, found 'maybe'"),
        ("steps:\n  a: { prompt: x, on_failure: retry }", "p.yaml:2: steps.a.on_failure: expected fail, skip or { default: VALUE }"),
        (
            "steps:\n  a: { prompt: x, on_failure: { default: 5 } }",
            "p.yaml:2: steps.a.on_failure.default: is a number, and the step's output is a text"
        ),
        (
            "steps:\n  a: { prompt: x, schema: here.yaml }",
            "p.yaml:2: steps.a.schema: 'here.yaml' is neither a file's name that ends in .json nor an input such as inputs.schema"
        ),
        ("steps:\n  a: { prompt: x, schema: ./none.json }", "p.yaml:2: steps.a.schema: there is no file 'none.json'"),
        (
            "steps:\n  a: { prompt: x, schema: { type: strin } }",
            "p.yaml:2: steps.a.schema: is not a JSON Schema: type must be one of null, boolean, integer, number, string, array, object, not 'strin'"
        ),
        (
            "steps:\n  a: { prompt: x, when: 'inputs.x >' }",
            "p.yaml:2: steps.a.when: 'inputs.x >' is not a condition: column 11: expected a value after '>'"
        ),
        (
            "inputs: { l: { type: list } }\nsteps:\n  a: { prompt: '{{item}} {{inputs.l}}', foreach: 'inputs.l >' }",
            "p.yaml:3: steps.a.foreach: 'inputs.l >' is not a path (write one such as plan.parts): column 11: expected a value after '>'"
        ),
        ("steps:\n  a: { prompt: x, when: b.c = 1 }", "p.yaml:2: steps.a.when: unknown name 'b'"),
        ("steps:\n  a: { prompt: x, when: number = 1 }", "p.yaml:2: steps.a.when: 'number' is known only in a step with foreach"),
        ("steps:\n  a: { prompt: x, when: round = 1 }", "p.yaml:2: steps.a.when: 'round' is known only in a group"),
        ("inputs: { x: { type: text } }\nsteps: { a: { prompt: x } }", "p.yaml:1: inputs.x: is used by no step"),
        (
            "inputs:\n  x: { type: string }\nsteps: { a: { prompt: '{{inputs.x}}' } }",
            "p.yaml:2: inputs.x.type: 'string' is none of text, integer, number, boolean, list, object (did you mean 'text'?)"
        ),
        (
            "inputs:\n  x: { type: array }\nsteps: { a: { prompt: '{{inputs.x}}' } }",
            "p.yaml:2: inputs.x.type: 'array' is none of text, integer, number, boolean, list, object (did you mean 'list'?)"
        ),
        (
            "inputs:\n  x: { type: integer, default: a }\nsteps: { a: { prompt: '{{inputs.x}}' } }",
            "p.yaml:2: inputs.x.default: is a string, not a whole number"
        ),
        (
            "inputs: { task: {} }\nsteps:\n  a: { prompt: '{{inputs.taks}}' }",
            "p.yaml:3: steps.a.prompt: unknown input 'taks' (did you mean 'task'?)"
        ),
        ("steps:\n  a: { prompt: x }\noutput: '{{b}}'", "p.yaml:3: output: unknown step or name 'b' (did you mean 'a'?)"),
        ("steps: &s\n  a: { prompt: x }\n  a: { prompt: y }", "p.yaml:3: duplicate key 'a' (first on line 2)"),
    ])
    func faults(_ yaml: String, _ expected: String) {
        #expect(Texts.faults(yaml).first == expected)
    }

    @Test(arguments: [
        (
            "a: { prompt: x }\n  b: { prompt: '{{item}}', foreach: a }",
            "p.yaml:3: steps.b.foreach: 'a' is a text, not a list (give its step a schema, or split it: { in: …, split: 6000 })"
        ),
        (
            "a: { prompt: x }\n  b: { prompt: '{{item}}', foreach: { in: a, split: 10 } }",
            "p.yaml:3: steps.b.foreach.split: 10 is out of range (100 to 10000000)"
        ),
        (
            "a: { prompt: x }\n  b: { prompt: '{{item}}', foreach: { in: a, split: 200, overlap: 150 } }",
            "p.yaml:3: steps.b.foreach.overlap: 150 is out of range (0 to 100)"
        ),
        (
            "a: { prompt: x }\n  b: { prompt: '{{item}}', foreach: { in: a, split: 200, join: 200 } }",
            "p.yaml:3: steps.b.foreach: split and join exclude each other"
        ),
        (
            "a: { prompt: x, schema: { type: object, properties: { parts: { type: array } } } }\n  b: { prompt: x, foreach: a.part }",
            "p.yaml:3: steps.b.foreach: 'a' has no field 'part' (did you mean 'parts'?)"
        ),
        (
            "a: { prompt: x, schema: { type: object, properties: { title: { type: string } } } }\n  b: { prompt: '{{a.titel}}' }",
            "p.yaml:3: steps.b.prompt: 'a' has no field 'titel' (did you mean 'title'?)"
        ),
        ("a: { prompt: x, ensemble: { samples: 3 } }", "p.yaml:2: steps.a.ensemble.combine: is missing (all, vote or judge)"),
        (
            "a: { prompt: x, ensemble: { samples: 300, combine: vote } }",
            "p.yaml:2: steps.a.ensemble.samples: 300 is out of range (1 to 100)"
        ),
        (
            "a: { prompt: x, ensemble: { samples: 3, combine: vote, confidence: 2 } }",
            "p.yaml:2: steps.a.ensemble.confidence: 2.0 is out of range (0 to 1)"
        ),
        (
            "a: { prompt: x, ensemble: { samples: 3, combine: vote, on: b } }",
            "p.yaml:2: steps.a.ensemble.on: 'the output' is a text, which has no fields (a step's output has some if the step has a schema)"
        ),
        (
            "a: { prompt: x, ensemble: { samples: 3, combine: all, judge: { prompt: x } } }",
            "p.yaml:2: steps.a.ensemble.judge: goes with combine: judge"
        ),
        ("a: { prompt: x, ensemble: { combine: judge } }", "p.yaml:2: steps.a.ensemble.judge: is missing (the call that chooses)"),
        (
            "a: { prompt: '{{answers}}', ensemble: { combine: judge, judge: { prompt: x } } }",
            "p.yaml:2: steps.a.prompt: 'answers' is known only to a judge"
        ),
        (
            "g: { repeat: { until: a = 1 }, steps: { a: { prompt: x } } }",
            "p.yaml:2: steps.g.repeat.times: is missing (a number of rounds, or an input such as inputs.rounds)"
        ),
        ("g: { repeat: { times: 101 }, steps: { a: { prompt: x } } }", "p.yaml:2: steps.g.repeat.times: 101 is out of range (1 to 100)"),
        ("g: { repeat: { times: inputs.n }, steps: { a: { prompt: x } } }", "p.yaml:2: steps.g.repeat.times: unknown input 'n'"),
        ("g: { repeat: { times: 2 }, prompt: x, steps: { a: { prompt: x } } }", "p.yaml:2: steps.g: unknown key 'prompt'"),
        (
            "g: { steps: { a: { prompt: x } } }\n  b: { prompt: '{{a}}' }",
            "p.yaml:3: steps.b.prompt: 'a' is a step of the group 'g' (write g.a)"
        ),
        (
            "g: { steps: { a: { prompt: '{{g.a}}' } } }",
            "p.yaml:2: steps.g.steps.a.prompt: 'g' is the group that this step is in (its round before this one is 'previous')"
        ),
        (
            "g: { steps: { b: { prompt: x } } }\n  b: { prompt: x }",
            "p.yaml:2: steps.g.steps.b: a step outside its group has this name too (choose another)"
        ),
        (
            "g: { steps: { b: { prompt: '{{c}}' } } }\n  c: { prompt: '{{g.b}}' }",
            "p.yaml:2: steps.g: steps wait for each other: g needs c needs g"
        ),
    ])
    func faultsOfSteps(_ steps: String, _ expected: String) {
        #expect(Texts.faults("steps:\n  \(steps)").first == expected)
    }

    @Test func everyFaultIsTold() {
        let yaml = """
            inputs: { a: {} }
            steps:
              x:
                prompt: "{{inputs.b}}"
              y:
                prompt: |
                  one
                  {{z}} and {{inputs.a}}
                temperature: 9
            """
        #expect(
            Texts.faults(yaml) == [
                "p.yaml:4: steps.x.prompt: unknown input 'b' (did you mean 'a'?)",
                "p.yaml:8: steps.y.prompt: unknown step or name 'z' (did you mean 'x'?)",
                "p.yaml:9: steps.y.temperature: 9.0 is out of range (0 to 2)",
            ])
    }

    /// What cannot be read hides nothing else, and what it lacks is not held against those who use it.
    @Test func faultsOfReadingAndOfMeaningAreToldTogether() {
        let yaml = """
            inputs:
              a: { type: string }
              n: {}
            steps:
              x:
                promt: hello
              y:
                foreach: inputs.a
                prompt: "{{item}} {{x.field}} {{zebra}}"
              w:
                schema: none.yaml
                prompt: "{{inputs.b}}"
              v:
                prompt: "{{w.title}} {{inputs.n}}"
                temperature: hot
            """
        #expect(
            Texts.faults(yaml) == [
                "p.yaml:2: inputs.a.type: 'string' is none of text, integer, number, boolean, list, object (did you mean 'text'?)",
                "p.yaml:6: steps.x: unknown key 'promt' (did you mean 'prompt'?)",
                "p.yaml:9: steps.y.prompt: unknown step or name 'zebra'",
                "p.yaml:11: steps.w.schema: 'none.yaml' is neither a file's name that ends in .json nor an input such as inputs.schema",
                "p.yaml:12: steps.w.prompt: unknown input 'b' (did you mean 'a'?)",
                "p.yaml:15: steps.v.temperature: expected a number, found 'hot'",
            ])
    }

    @Test func aTabIsNamed() {
        let faults = Texts.faults("steps:\n\ta: { prompt: x }")
        #expect(faults.count == 1 && faults[0].hasSuffix("(indent with spaces: YAML allows no tabs)"), "\(faults)")
        #expect(Texts.faults("steps:\n  a:\n\t\tprompt: x").first?.contains("no tabs") == true)
    }

    @Test func targetsAreChecked() throws {
        let checks = PipelineChecks { $0.provider == "local" ? nil : "unknown provider '\($0.provider)'" }
        let yaml = """
            inputs: { m: { default: x/y } }
            roles:
              r: { model: locl/a }
            steps:
              a: { role: r, prompt: x }
              b: { model: gpt, prompt: x }
              c: { model: "{{inputs.m}}", prompt: x }
              d: { prompt: x, ensemble: { combine: all, targets: [local/a, openai/b] } }
            modes:
              quick: { model: far/away }
            """
        let faults = Pipeline.check(yaml: yaml, path: "p.yaml", checks: checks).map(\.description)
        #expect(
            faults == [
                "p.yaml:3: roles.r.model: unknown provider 'locl'",
                "p.yaml:6: steps.b.model: 'gpt' is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)",
                "p.yaml:8: steps.d.ensemble.targets[1]: unknown provider 'openai'",
            ])
        let mode = "steps: { a: { prompt: x } }\nmodes:\n  quick: { model: far/away }"
        #expect(
            Pipeline.check(yaml: mode, path: "p.yaml", checks: checks).map(\.description)
                == ["p.yaml:3: modes.quick.model: unknown provider 'far'"])
        // A stored run goes on, whatever the configuration has become.
        let pipeline = try Pipeline(yaml: "steps: { a: { model: far/away, prompt: x } }", path: "p.yaml")
        #expect(try Pipeline(definition: pipeline.definition) == pipeline)
    }

    @Test func hostileTextsEndInAnError() {
        let laughs =
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + (0..<9).map {
                "\("bcdefghij".dropFirst($0).prefix(1)): &\("bcdefghij".dropFirst($0).prefix(1)) [\(Array(repeating: "*\("abcdefghi".dropFirst($0).prefix(1))", count: 10).joined(separator: ", "))]\n"
            }.joined()
        #expect(Texts.faults(laughs).first?.contains("has more than 100,000 values") == true)
        #expect(Texts.faults(String(repeating: "[", count: 100_000)).count == 1)
        #expect(
            Texts.faults("a: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)).first?.contains("nested deeper")
                == true)
        #expect(Texts.faults(String(repeating: "#", count: 2 << 20)) == ["p.yaml: is larger than 1 MiB"])
        let steps = (0..<201).map { "  s\($0): { prompt: x }\n" }.joined()
        #expect(Texts.faults("steps:\n" + steps) == ["p.yaml:1: steps: has more than 200 steps"])
    }

    @Test func schemasAreReadFromFiles() throws {
        let files = FileReader { (path: String) throws(InvalidText) in
            path == "dir/s.json" ? FileContents(text: #"{"type":"object","properties":{"t":{"type":"string"}}}"#) : nil
        }
        let yaml = "steps: { a: { prompt: x, schema: s.json }, b: { prompt: '{{a.t}}' } }"
        let pipeline = try Pipeline(yaml: yaml, path: "dir/two.yaml", files: files)
        #expect(pipeline.name == "two")
        #expect(pipeline.definition.contains(#""schema":{"type":"object","properties":{"t":{"type":"string"}}}"#))
        #expect(try Pipeline(definition: pipeline.definition) == pipeline)
    }

    @Test func rolesOfTheConfigurationAreOverriddenKeyByKey() throws {
        let roles = [Role("r", system: "S", model: "a/b", temperature: 1), Role("other", system: "O")]
        let pipeline = try Pipeline(
            yaml: "roles: { r: { temperature: 0 } }\nsteps: { a: { role: r, prompt: x }, b: { role: other, prompt: y, system: mine } }",
            path: "p.yaml", roles: roles)
        let run = try Runs(pipeline)
        let calls = run.begin()
        #expect(calls[0].system == "S" && calls[0].model == "a/b" && calls[0].temperature == 0)
        #expect(calls[1].system == "mine" && calls[1].model == nil)
    }

    @Test func modesAreBakedIn() throws {
        let yaml = """
            inputs: { n: { type: integer, default: 5 }, t: {} }
            roles: { r: { model: x/y }, s: {} }
            steps:
              a: { role: r, prompt: "{{inputs.t}}" }
              b: { role: s, prompt: "{{inputs.n}}" }
            modes:
              quick: { inputs: { n: 1 }, model: local/smollm2, roles: { r: { temperature: 0 } } }
            """
        let pipeline = try Pipeline(yaml: yaml, path: "p.yaml")
        let mode = try #require(pipeline.modes.first)
        #expect(mode.pipeline == "p")
        let quick = try pipeline.applying(mode)
        #expect(quick.definition != pipeline.definition)
        let run = try Runs(try Pipeline(definition: quick.definition), inputs: ["t": "T"])
        let calls = run.begin()
        #expect(calls.map(\.model) == ["x/y", "local/smollm2"])
        #expect(calls.map(\.prompt) == ["T", "1"])
        #expect(calls[0].temperature == 0)

        var asked = try Runs(quick, inputs: ["t": "T"])
        asked.snapshot.options = RunOptions(model: "own/choice")
        #expect(asked.begin().map(\.model) == ["x/y", nil])
        #expect(throws: PipelineError(key: "modes.m.inputs.m", message: "is no input of 'p' (did you mean 'n'?)")) {
            try pipeline.applying(PipelineMode("m", of: "p", inputs: [.init("m", 1)]))
        }
    }

    /// As the configuration reads them: one file's number is not the other's text.
    @Test func valuesAreTypedAsInTheConfiguration() throws {
        let values = #"[.5, +1, 0x10, 010, 1e2, ".5", yes, .inf, ~, True]"#
        let pipeline = try Pipeline(
            yaml: "inputs: { l: { type: list, default: \(values) } }\nsteps: { a: { prompt: \"{{inputs.l}}\" } }", path: "p.yaml")
        #expect(pipeline.inputs[0].fallback == [0.5, 1, 16, 10, 100.0, ".5", "yes", ".inf", .null, true])
        #expect(try Pipeline(definition: pipeline.definition).definition == pipeline.definition)
    }

    @Test func inputsAreChecked() throws {
        let pipeline = try Pipeline("p", inputs: [PipelineInput("a"), PipelineInput("n", .integer, default: 3)]) {
            Group("g", repeat: Repetition(.input("n"))) { Step("s", prompt: "{{inputs.a}}") }
        }
        #expect(try pipeline.checked(inputs: ["a": "x"]) == ["a": "x", "n": 3])
        func fault(_ inputs: JSONValue) -> String? {
            do throws(PipelineError) {
                _ = try pipeline.checked(inputs: inputs)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(fault([:]) == "inputs.a: is missing")
        #expect(fault(["a": 5]) == "inputs.a: is a number, not a text")
        #expect(fault(["a": "x", "b": 1]) == "inputs: 'p' has no input 'b' (did you mean 'a'?)")
        #expect(fault(["a": "x", "n": 0]) == "inputs.n: 0 is out of range (1 to 100)")
        #expect(fault("x") == "inputs: must be an object, not a string")
        #expect(try pipeline.inputs[1].value(of: "7") == 7)
        #expect(throws: PipelineError.self) { try pipeline.inputs[1].value(of: "seven") }
    }

    @Test func codeIsCheckedAsFilesAre() {
        #expect(throws: PipelineError(key: "steps.a.prompt", message: "unknown step or name 'c' (did you mean 'b'?)")) {
            try Pipeline("p") {
                Step("a", prompt: "{{c}}")
                Step("b", prompt: "x")
            }
        }
    }

    @Test func nodesSayWhatIsDrawn() throws {
        let pipeline = try Pipeline("p", inputs: [PipelineInput("l", .list)], roles: [Role("r")]) {
            Step(
                "each", role: "r", foreach: Foreach("inputs.l"), ensemble: Ensemble(samples: 3, combine: .vote(on: nil)), prompt: "{{item}}"
            )
            Group("again", repeat: Repetition(4)) {
                Step("x", when: "round > 1", prompt: "{{#each}}{{.}}{{/each}}")
                Step("y", needs: ["x"], prompt: "y")
            }
        }
        #expect(
            pipeline.nodes == [
                StepNode(name: "each", role: "r", needs: [], manner: "for each of inputs.l, 3 samples, vote"),
                StepNode(
                    name: "again", role: nil, needs: ["each"], manner: "up to 4 times",
                    children: [
                        StepNode(name: "x", role: nil, needs: [], condition: "round > 1"), StepNode(name: "y", role: nil, needs: ["x"]),
                    ]),
            ])
    }
}

@Suite struct PipelineErrorTests {
    @Test func itSaysWhereItIs() {
        let error = PipelineError(path: "coding.yaml", line: 12, key: "steps.plan.prompt", message: "unknown step 'pln'")
        #expect(error.description == "coding.yaml:12: steps.plan.prompt: unknown step 'pln'")
    }
}
