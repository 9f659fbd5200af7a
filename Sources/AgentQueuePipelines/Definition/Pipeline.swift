import AgentQueueModel
import AgentQueueSettings

/// A checked graph of steps. Code that has one needs no further checks.
public struct Pipeline: Sendable {
    let source: PipelineSource
    let graph: Graph

    /// The name that runs are started by.
    public var name: String { source.name }
    /// A one-sentence description.
    public var summary: String { source.summary }
    /// Its inputs.
    package var inputs: [PipelineInput] { source.inputs }
    /// Its roles.
    package var roles: [Role] { source.roles }
    /// Its steps, as written.
    public var steps: [Step] { source.steps }
    /// The modes that its file defines.
    package var modes: [PipelineMode] { source.modes }

    /// Makes a pipeline from its parts.
    /// - Parameters:
    ///   - summary: what it is for, in a sentence.
    ///   - inputs: what runs are given.
    ///   - name: its name.
    ///   - roles: who its steps ask.
    ///   - steps: the steps, one below the other.
    ///   - output: a template for the run's output; nil for the output of the one step that no other needs, or an object of them.
    /// - Throws: `PipelineError` with the first fault and its key.
    public init(
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

    /// Checks a pipeline that is not from a file.
    init(_ source: PipelineSource, path: String? = nil, checks: PipelineChecks = .none) throws(PipelineError) {
        var faults: [PipelineError] = []
        guard let pipeline = Pipeline(source, path: path, positions: Positions(), checks: checks, faults: &faults) else {
            throw faults.first ?? PipelineError(path: path, message: "cannot be read")
        }
        self = pipeline
    }

    /// Checks a pipeline; nil if there are faults, including those found before.
    /// - Parameters:
    ///   - unread: the names of steps, inputs and roles that could not be read whole.
    ///   - tryingModes: whether each of its modes is applied to it, too.
    init?(
        _ source: PipelineSource, path: String?, positions: Positions, checks: PipelineChecks, unread: Set<String> = [],
        tryingModes: Bool = false, faults: inout [PipelineError]
    ) {
        var compiler = GraphCompiler(source, checks: checks, unread: unread)
        let graph = compiler.graph()
        var found = compiler.faults
        ModeCheck.check(source.modes, of: source) { found.append($0) }
        for fault in found {
            let line = positions.line(of: fault.key, textLine: fault.textLine)
            let error = PipelineError(path: path, line: line, key: fault.key, message: fault.message)
            // The text of a role is checked for each step that uses it.
            if !faults.contains(error) { faults.append(error) }
        }
        guard faults.isEmpty else { return nil }
        self.source = source
        self.graph = graph
        for mode in tryingModes ? source.modes : [] {
            do throws(PipelineError) {
                _ = try applying(mode, checks: checks)
            } catch {
                let line = positions.line(of: error.key ?? "modes")
                faults.append(PipelineError(path: path, line: line, key: error.key, message: error.message))
            }
        }
        if !faults.isEmpty { return nil }
    }
}

extension Pipeline: Equatable {
    /// Pipelines with equal parts are equal.
    public static func == (one: Pipeline, other: Pipeline) -> Bool { one.source == other.source }
}

extension Pipeline {
    /// The whole pipeline as JSON with the keys of the YAML, which a run keeps. Equal pipelines have equal definitions. Modes, and roles
    /// that no step uses, are left out.
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

/// The limits of a pipeline. Anything larger is refused when it is read.
enum PipelineLimits {
    /// Steps, including those of groups.
    static let maxSteps = 200
    /// Inputs.
    static let maxInputs = 64
    /// The file, and the definition, in bytes: 1 MiB.
    static let maxBytes = 1 << 20
    /// A name of a step, an input, a role, a pipeline or a mode, in bytes.
    static let maxNameBytes = 64
    /// How deep groups may nest.
    static let maxDepth = 4
    /// How deep sections of a template may nest.
    static let maxSections = 16
    /// Values in a file. Those that aliases repeat are counted each time.
    static let maxNodes = 100_000
    /// Calls begun by one advance.
    static let maxCalls = 200
    /// How deep a file's values may nest.
    static let maxNesting = 100
}

/// Why a pipeline cannot be used: what is wrong and where, in one sentence.
public struct PipelineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as it was named; nil if it is not about a file.
    public var path: String?
    /// The line in that file, from 1.
    public var line: Int?
    /// The key it is about, such as `steps.plan.prompt`.
    public var key: String?
    /// What is wrong, without place and key.
    public var message: String

    /// Makes an error.
    package init(path: String? = nil, line: Int? = nil, key: String? = nil, message: String) {
        self.path = path
        self.line = line
        self.key = key
        self.message = message
    }

    /// `config/pipelines/coding.yaml:12: steps.plan.prompt: unknown step 'pln' (did you mean 'plan'?)`.
    public var description: String {
        let place = path.map { path in line.map { "\(path):\($0): " } ?? "\(path): " } ?? ""
        return place + (key.map { "\($0): " } ?? "") + message
    }
}
