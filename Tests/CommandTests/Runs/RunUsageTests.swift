import AgentQueueModel
import AgentQueueTestSupport
import Testing

/// What `agent-queue run` and `pipelines` refuse, and what they show without a worker.
@Suite struct RunUsageTests {
    @Test("Wrong names, inputs and options: a sentence and the exit code")
    func refusals() async throws {
        try await RunScene.with(works: false) { scene in
            let aq = scene.sandbox
            try await aq.makeDatabase()
            func refusal(_ arguments: String...) async throws -> (Int32, String) {
                let ending = try await aq.shell("\"$AQ\" run " + arguments.map { "'\($0)'" }.joined(separator: " "))
                #expect(ending.output.isEmpty)
                return (ending.status, ending.sentence ?? ending.error)
            }
            #expect(try await refusal("reprot") == (64, "there is no pipeline or mode 'reprot' (did you mean 'report'?)"))
            #expect(try await refusal("report", "--input", "tsak=x") == (64, "there is no input 'tsak' (did you mean 'task'?)"))
            #expect(try await refusal("report", "--input", "task") == (64, "input 'task' must be written name=value"))
            #expect(try await refusal("report", "--input", "task=a", "--input", "task=b").0 == 64)
            let (status, sentence) = try await refusal("report")
            #expect(status == 65 && sentence.contains("task"), "\(sentence)")
            #expect(
                try await refusal("typed", "--input", "text=x", "--input", "count=1.5")
                    == (64, "input 'count' must be a whole number, not '1.5'"))
            #expect(
                try await refusal("typed", "--input", "text=x", "--input", "loud=yes")
                    == (64, "input 'loud' must be true or false, not 'yes'"))
            #expect(try await refusal("typed", "--input", "text=x", "--input", "docs=[1,").0 == 64)
            #expect(try await refusal("typed", "--input", "text=@nowhere.txt").0 == 64)
            #expect(try await refusal("typed", "--inputs", "agent-queue.yaml").0 == 65)
            #expect(try await refusal("typed", "--input", "text=x", "--model", "nowhere/x").0 == 64)
            #expect(try await refusal("typed", "--input", "text=x", "--priority", "0").0 == 64)
            #expect(try await refusal("typed", "--input", "text=x", "--timeout", "5s") == (64, "--timeout requires --wait"))
            #expect(
                try await refusal("typed", "--input", "text=x", "--on-finish", "bell")
                    == (64, "unknown notification 'bell' (the configuration has none)"))
            #expect(try await refusal("show", "7") == (65, "run 7 not found; run 'agent-queue runs' to see the runs"))
            #expect(try await refusal("wait", "7").0 == 65)
            #expect(try await aq.run("runs", "--state", "complete").sentence?.contains("did you mean 'completed'?") == true)
            #expect(try await aq.run("runs").lines.count <= 1)
        }
    }

    @Test("Inputs are of the types that the pipeline wants")
    func inputs() async throws {
        try await RunScene.with(works: false) { scene in
            let aq = scene.sandbox
            try aq.file("a.txt", "[first]\n")
            try aq.file("b.txt", "{{second}}")
            try aq.file("all.json", #"{"text": "from the file", "count": 7, "docs": ["x"]}"#)
            let typed = try await aq.shell(
                #"""
                echo '{"type": "object"}' | "$AQ" run typed --input text=@@home --input count=3 --input share=1e-1 --input loud=true \
                  --input docs=@a.txt --input docs=@b.txt --input schema=@- --dry-run --json
                """#)
            #expect(typed.status == 0, "\(typed.error)")
            #expect(
                try typed.json.first?["inputs"] == [
                    "text": "@home", "count": 3, "share": 0.1, "loud": true, "docs": ["[first]\n", "{{second}}"],
                    "schema": ["type": "object"],
                ])
            let file = try await aq.run(
                "run", "typed", "--inputs", "all.json", "--input", "count=8", "--input", "docs=[1, \"y\"]", "--dry-run", "--json")
            #expect(try file.json.first?["inputs"]?["text"] == "from the file")
            #expect(try file.json.first?["inputs"]?["count"] == 8)
            #expect(try file.json.first?["inputs"]?["docs"] == [1, "y"])
            #expect(try file.json.first?["calls"]?.array?.first?["prompt"]?.string?.hasPrefix("from the file 8 0.5 false ") == true)
            let plain = try await aq.run("run", "typed", "--input", "text=see \u{1B}[1m", "--dry-run")
            #expect(plain.output.contains("1 call would start immediately") && plain.output.contains(#"see \u{1b}[1m"#))
            #expect(try await aq.run("runs", "--json").output.isEmpty)
        }
    }

    @Test("A dry run counts the calls and what they may cost, and refuses what no call could be made for")
    func dryRun() async throws {
        try await RunScene.with(works: false) { scene in
            let aq = scene.sandbox
            let dry = try await aq.run("run", "report", "--input", "task=x", "--input", "rounds=2", "--dry-run", "--json")
            #expect(dry.status == 0, "\(dry.error)")
            let estimate = try #require(try dry.json.first?["estimate"])
            // The plan, five parts, and two rounds: the first has nothing to revise.
            #expect(estimate["calls"] == 9)
            #expect(estimate["more_possible"] == false)
            #expect(estimate["unpriced"] == 0)
            #expect((estimate["max_cost_usd"]?.number ?? 0) > 9)
            let plain = try await aq.run("run", "report", "--input", "task=x", "--dry-run").output
            #expect(plain.contains("up to 11") && plain.contains("maximum cost  $"), "\(plain)")

            try aq.file("pipelines/far.yaml", "inputs: { m: {} }\nsteps: { a: { model: \"{{inputs.m}}\", prompt: x } }\n")
            let unpriced = try await aq.run("run", "far", "--input", "m=anthropic/other", "--dry-run", "--json").json.first?["estimate"]
            #expect(unpriced?["max_cost_usd"] == .null)
            #expect(unpriced?["unpriced"] == 1)
            let unknown = try await aq.run("run", "far", "--input", "m=scripde/x", "--dry-run")
            #expect(unknown.status == 64)
            #expect(unknown.sentence == "a: unknown provider 'scripde' in model 'scripde/x' (did you mean 'scripted'?)", "\(unknown.error)")
            #expect(try await aq.run("run", "far", "--input", "m=gpt-4o", "--dry-run").sentence?.contains("is not a target") == true)
            let started = try await aq.run("run", "far", "--input", "m=gpt-4o")
            #expect(started.status == 64 && started.sentence?.contains("is not a target") == true, "\(started.error)")
            #expect(try await aq.run("runs", "--json").output.isEmpty)
        }
    }

    @Test("What can be run is listed, shown and checked")
    func pipelines() async throws {
        try await RunScene.with(works: false) { scene in
            let aq = scene.sandbox
            #expect(try await aq.run("pipelines", "check").status == 0)
            try aq.file("pipelines/compare.yaml", "description: Mine.\nsteps:\n  one: { prompt: hello }\n")
            try aq.file("pipelines/broken.yaml", "# broken\n\nsteps:\n  one: { promt: hello }\n")
            let list = try await aq.run("pipelines", "--json").json
            func entry(_ name: String) -> JSONValue? { list.first { $0["name"]?.string == name } }
            #expect(entry("coding")?["from"] == "shipped")
            #expect(entry("compare")?["description"] == "Mine.")
            #expect(entry("short")?["mode_of"] == "report")
            #expect(entry("short")?["from"] == "configuration")
            #expect(entry("broken")?["error"]?.string?.contains("broken.yaml:4: ") == true)
            #expect(try await aq.run("pipelines").output.contains("invalid: "))

            let check = try await aq.run("pipelines", "check")
            #expect(check.status == 78)
            #expect(
                check.output.contains("broken.yaml:4: ") && check.output.contains("'promt' (did you mean 'prompt'?)"), "\(check.output)")
            #expect(try await aq.run("pipelines", "check", "pipelines/compare.yaml").output == "no errors found\n")
            #expect(try await aq.run("pipelines", "check", "pipelines/broken.yaml", "--json").json.first?["line"] == 4)
            #expect(try await aq.run("pipelines", "check", "nowhere.yaml").status == 78)
            let broken = try await aq.run("run", "broken")
            #expect(broken.status == 78 && broken.sentence?.contains("broken.yaml:4: ") == true)
            // One that cannot be used is in nobody else's way.
            #expect(try await aq.run("run", "compare", "--json").status == 0)

            let shown = try await aq.run("pipelines", "show", "short")
            #expect(shown.output.contains("What to write.") && shown.output.contains("for each of plan.parts"), "\(shown.output)")
            #expect(shown.output.contains("required"))
            let rounds = try await aq.run("pipelines", "show", "short", "--json").json.first?["inputs"]?.array?.last
            #expect(rounds?["default"] == 1)
        }
    }

    @Test("A mode of what is not there is told with its place")
    func modes() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "modes:\n  a: { pipeline: codng }\n  b: { pipeline: coding, inputs: { tsk: x } }\n")
        let check = try await sandbox.run("pipelines", "check")
        #expect(check.status == 78)
        #expect(check.output.contains("agent-queue.yaml:2: modes.a.pipeline: there is no pipeline 'codng' (did you mean 'coding'?)"))
        let fault = "agent-queue.yaml:3: modes.b.inputs.tsk: is no input of 'coding' (did you mean 'task'?)"
        #expect(check.output.contains(fault), "\(check.output)")
        #expect(try await sandbox.run("run", "a").status == 78)
        #expect(try await sandbox.run("run", "b").sentence == fault)
    }

    @Test("enqueue --role takes what the configuration says of it")
    func role() async throws {
        try await RunScene.with(works: false) { scene in
            let aq = scene.sandbox
            _ = try await aq.run("enqueue", "--role", "writer", "a poem")
            let request = try #require(try await aq.run("show", "1", "--json").json.first?["request"])
            #expect(request["temperature"]?.number == 0.5)
            #expect(request["messages"]?.array?.first?["content"] == "You write.")
            let refused = try await aq.run("enqueue", "--role", "writre", "x")
            #expect(refused.status == 64 && refused.sentence == "unknown role 'writre' (did you mean 'writer'?)")
        }
    }
}
