import AgentQueueModel
import AgentQueueSettings

/// A graph of steps by role, checked: code that holds one checks nothing again.
package struct Pipeline: Sendable {
    let source: PipelineSource
    let graph: Graph

    /// Its name, as `agent-queue run` knows it.
    package var name: String { source.name }
    /// What it is for, in a sentence.
    package var summary: String { source.summary }
    /// What it is given.
    package var inputs: [PipelineInput] { source.inputs }
    /// Its roles.
    package var roles: [Role] { source.roles }
    /// Its steps, as they are written.
    package var steps: [Step] { source.steps }
    /// The modes that its file gives names to.
    package var modes: [PipelineMode] { source.modes }

    /// Makes a pipeline of its parts.
    /// - Parameter output: what a run's output is, a template; nil is the output of the one step that none needs, or an object of them.
    /// - Throws: `PipelineError`, the first fault, with its key.
    package init(
        _ name: String, summary: String = "", inputs: [PipelineInput] = [], roles: [Role] = [], output: String? = nil,
        @StepsBuilder steps: () -> [Step]
    ) throws(PipelineError) {
        var source = PipelineSource(name: name, summary: summary)
        source.inputs = inputs
        source.roles = roles
        source.steps = steps()
        source.output = output
        try self.init(source)
    }

    /// Checks a pipeline that stands in no file.
    init(_ source: PipelineSource, path: String? = nil) throws(PipelineError) {
        var faults: [PipelineError] = []
        guard let pipeline = Pipeline(source, path: path, positions: Positions(), faults: &faults) else {
            throw faults.first ?? PipelineError(path: path, message: "cannot be read")
        }
        self = pipeline
    }

    /// Checks a pipeline; nil where there are faults, those that there were already among them.
    init?(_ source: PipelineSource, path: String?, positions: Positions, faults: inout [PipelineError]) {
        var compiler = GraphCompiler(source)
        let graph = compiler.graph()
        var found = compiler.faults
        ModeCheck.check(source.modes, of: source) { found.append($0) }
        for fault in found {
            let line = positions.line(of: fault.key, textLine: fault.textLine)
            let error = PipelineError(path: path, line: line, key: fault.key, message: fault.message)
            // A role's text is checked for each step that has it.
            if !faults.contains(error) { faults.append(error) }
        }
        guard faults.isEmpty else { return nil }
        self.source = source
        self.graph = graph
    }
}

extension Pipeline: Equatable {
    /// The same parts are the same pipeline.
    package static func == (one: Pipeline, other: Pipeline) -> Bool { one.source == other.source }
}

extension Pipeline {
    /// All of it as JSON, in the words of the YAML: what a run keeps. The same pipeline always has the same. Without its modes, and without
    /// roles that none of its steps has.
    package var definition: String {
        var writer = DefinitionWriter()
        writer.add("name", .string(source.name))
        if !source.summary.isEmpty { writer.add("description", .string(source.summary)) }
        writer.add("model", source.model.map(JSONValue.string))
        if !source.inputs.isEmpty {
            writer.add("inputs", .object(source.inputs.map { .init($0.name, DefinitionWriter.json(of: $0)) }))
        }
        let used = Set(source.steps.flatMap(DefinitionWriter.roles))
        let roles = source.roles.filter { used.contains($0.name) }
        if !roles.isEmpty { writer.add("roles", .object(roles.map { .init($0.name, DefinitionWriter.json(of: $0)) })) }
        writer.add("steps", DefinitionWriter.json(of: source.steps))
        writer.add("output", source.output.map(JSONValue.string))
        return JSONValue.object(writer.members).text
    }
}

/// The bounds of a pipeline. What is beyond them is refused when it is read.
enum PipelineLimits {
    /// Steps, those of groups among them.
    static let maxSteps = 200
    /// Inputs.
    static let maxInputs = 64
    /// Its text, and its definition, in bytes: 1 MiB.
    static let maxBytes = 1 << 20
    /// A name of a step, an input, a role, a pipeline or a mode, in bytes.
    static let maxNameBytes = 64
    /// How deep groups may nest.
    static let maxDepth = 4
    /// How deep sections of a template may nest.
    static let maxSections = 16
    /// Values in a file, those that aliases repeat counted each time.
    static let maxNodes = 100_000
    /// Calls begun by one decision.
    static let maxCalls = 200
    /// How deep a file's values may nest.
    static let maxNesting = 100
}

/// A pipeline that cannot be used: what is wrong, where, and what to do, in one sentence.
package struct PipelineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, as it was named; nil where it is about no file.
    package var path: String?
    /// The line in that file, from 1.
    package var line: Int?
    /// The key it is about, such as `steps.plan.prompt`.
    package var key: String?
    /// What is wrong, without place and key.
    package var message: String

    /// Makes an error.
    package init(path: String? = nil, line: Int? = nil, key: String? = nil, message: String) {
        self.path = path
        self.line = line
        self.key = key
        self.message = message
    }

    /// `config/pipelines/coding.yaml:12: steps.plan.prompt: unknown step 'pln' (did you mean 'plan'?)`.
    package var description: String {
        let place = path.map { path in line.map { "\(path):\($0): " } ?? "\(path): " } ?? ""
        return place + (key.map { "\($0): " } ?? "") + message
    }
}
