import JobModel
import Settings

/// A graph of steps by role, checked: code that holds one checks nothing again.
public struct Pipeline: Sendable {
    let source: PipelineSource
    let graph: Graph

    /// Its name, as `agent-queue run` knows it.
    public var name: String { source.name }
    /// What it is for, in a sentence.
    public var summary: String { source.summary }
    /// What it is given.
    public var inputs: [PipelineInput] { source.inputs }
    /// Its roles.
    public var roles: [Role] { source.roles }
    /// Its steps, as they are written.
    public var steps: [Step] { source.steps }
    /// The modes that its file gives names to.
    public var modes: [PipelineMode] { source.modes }

    /// Makes a pipeline of its parts.
    /// - Parameter output: what a run's output is, a template; nil is the output of the one step that none needs, or an object of them.
    /// - Throws: `PipelineError`, the first fault, with its key.
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
    public static func == (one: Pipeline, other: Pipeline) -> Bool { one.source == other.source }
}
