import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import Testing

@testable import AgentQueue

/// What has a name, and which of several has it.
@Suite struct PipelineCatalogTests {
    private static func pipeline(_ summary: String, more: String = "") -> String {
        "description: \(summary)\ninputs: { word: { type: text, default: usual } }\nsteps:\n  one: { prompt: \"{{inputs.word}}\" }\n\(more)"
    }

    private static func catalog(_ own: [String: String], _ change: (inout Settings) -> Void = { _ in }) -> PipelineCatalog {
        var settings = Settings(database: "/nowhere")
        settings.pipelines = "/mine"
        change(&settings)
        let files = FileReader { path in own[String(path.dropFirst("/mine/".count))].map { FileContents(text: $0) } }
        let shipped = ["coding": pipeline("Shipped."), "other": pipeline("Other.", more: "modes: { fast: { inputs: { word: quick } } }\n")]
        return PipelineCatalog(settings, files: files, folder: PipelineFolder { _ in own.keys.sorted() }, shipped: shipped)
    }

    private static func word(_ pipeline: Pipeline) -> JSONValue? { pipeline.inputs.first?.fallback }

    @Test func theUsersOwnHidesTheShippedOne() throws {
        let catalog = Self.catalog(["coding.yaml": Self.pipeline("Mine."), "b.yml": "name: renamed\n" + Self.pipeline("Renamed.")])
        #expect(try catalog.pipeline(named: "coding").summary == "Mine.")
        #expect(try catalog.pipeline(named: "renamed").summary == "Renamed.")
        #expect(throws: InputError.self) { try catalog.pipeline(named: "b") }
        #expect(try catalog.entries().map(\.name) == ["coding", "fast", "other", "renamed"])
        #expect(try catalog.entries().first?.source == .file("/mine/coding.yaml"))
        #expect(try catalog.faults().isEmpty)
    }

    @Test func modesBringTheirSettings() throws {
        let catalog = Self.catalog([:]) { settings in
            var mode = ModeSettings()
            mode.pipeline = "coding"
            mode.inputs = [.init("word", "set")]
            settings.modes = ["coding": mode, "mine": mode]
        }
        #expect(Self.word(try catalog.pipeline(named: "fast")) == "quick")
        #expect(Self.word(try catalog.pipeline(named: "mine")) == "set")
        // A mode of the configuration comes before what it is a mode of.
        #expect(Self.word(try catalog.pipeline(named: "coding")) == "set")
        #expect(Self.word(try catalog.pipeline(named: "other")) == "usual")
        #expect(try catalog.entries().first { $0.name == "coding" }?.source == .configuration)
    }

    @Test func aFaultIsToldOfItsOwnPipelineAlone() throws {
        let catalog = Self.catalog(["coding.yaml": "steps: {}\n", "bad.yaml": "stpes: {}\n"])
        #expect(throws: PipelineError.self) { try catalog.pipeline(named: "coding") }
        #expect(try catalog.pipeline(named: "other").summary == "Other.")
        #expect(try catalog.entries().first { $0.name == "bad" }?.fault?.path == "/mine/bad.yaml")
        #expect(try Set(catalog.faults().compactMap(\.path)) == ["/mine/coding.yaml", "/mine/bad.yaml"])
    }

    @Test func aTargetNeedsAConfiguredProvider() throws {
        let wrong = "steps:\n  one: { model: locl/m, prompt: x }\n  two: { model: gpt-4o, prompt: x }\n"
        let catalog = Self.catalog(["wrong.yaml": wrong]) { settings in
            var mode = ModeSettings()
            mode.pipeline = "coding"
            (mode.inputs, mode.model) = ([.init("wrod", "x"), .init("xyz", "x")], "nowhere/m")
            settings.modes = ["mine": mode]
        }
        let unknown = "unknown provider 'locl' in model 'locl/m' (did you mean 'local'?)"
        #expect(
            try catalog.faults().map(\.description) == [
                "/mine/wrong.yaml:2: steps.one.model: \(unknown)",
                "/mine/wrong.yaml:3: steps.two.model: 'gpt-4o' is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)",
                "modes.mine.inputs.wrod: is no input of 'coding' (did you mean 'word'?)", "modes.mine.inputs.xyz: is no input of 'coding'",
            ])
        #expect(throws: PipelineError(path: "/mine/wrong.yaml", line: 2, key: "steps.one.model", message: unknown)) {
            try catalog.pipeline(named: "wrong")
        }
    }

    @Test func twoOfOneNameAreAFault() throws {
        let catalog = Self.catalog(["a.yaml": "name: same\n" + Self.pipeline("A."), "b.yaml": "name: same\n" + Self.pipeline("B.")])
        #expect(try catalog.faults().map(\.description) == ["/mine/b.yaml: name: 'same' is the name of /mine/a.yaml, too"])
        #expect(try catalog.pipeline(named: "same").summary == "A.")
    }

    @Test func inputsAreBoundedTogether() throws {
        let catalog = Self.catalog([:])
        let pipeline = try catalog.pipeline(named: "coding")
        #expect(try catalog.checked(.object([]), of: pipeline) == ["word": "usual"])
        let long = JSONValue.string(String(repeating: "x", count: JobLimits.maxRequestBytes))
        #expect(throws: InputError.self) { try catalog.checked(.object([.init("word", long)]), of: pipeline) }
    }

    @Test func aRunIsMadeOfAName() throws {
        let catalog = Self.catalog([:])
        let options = RunOptions(queue: "nightly", tags: ["t"])
        let run = try catalog.resolve("fast", inputs: .object([]), options: options, now: 0)
        #expect((run.name, run.inputs, run.options) == ("fast", ["word": "quick"], options))
        #expect(run.first.isDue && run.first.begun.isEmpty)
        #expect(try Pipeline(definition: run.definition).name == "other")
        #expect(throws: InputError.self) { try catalog.resolve("fast", inputs: ["wrod": "x"], now: 0) }
        #expect(throws: InputError.self) { try catalog.resolve("fast", inputs: .object([]), options: RunOptions(priority: 0), now: 0) }
        #expect(throws: InputError.self) { try catalog.resolve("fats", inputs: .object([]), now: 0) }
    }
}
