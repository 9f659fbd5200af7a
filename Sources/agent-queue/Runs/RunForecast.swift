import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports

/// `run --dry-run`: what a run would be, and what it would ask first.
struct RunForecast {
    private let pipeline: Pipeline
    private let name: String
    private let inputs: JSONValue
    private let options: RunOptions
    private let calls: [StepCall]

    /// - Parameter inputs: checked, with defaults.
    init(_ pipeline: Pipeline, name: String, inputs: JSONValue, options: RunOptions) {
        (self.pipeline, self.name, self.inputs, self.options) = (pipeline, name, inputs, options)
        let snapshot = RunSnapshot(
            id: 0, name: name, digest: [], definition: pipeline.definition, inputs: inputs, options: options.json)
        // A run that has not begun has no outputs that it could ask for.
        if case .decided(let decision) = pipeline.advance(snapshot, outputs: [:]) { calls = decision.calls } else { calls = [] }
    }

    func print(json: Bool) throws {
        var output = Output()
        try json ? output.json(self.json) : output.lines(lines)
        try output.flush()
    }

    var lines: [String] {
        var lines = PipelineTree.lines(pipeline.nodes)
        lines += ["", "\(Figures.count(calls.count, "call")) would start immediately:"]
        for call in calls.prefix(Self.mostPrompts) {
            lines += [
                "",
                Style.apply(.bold, to: DisplayText.line(call.path), on: .output)
                    + ((call.model ?? options.model).map { "  \(DisplayText.line($0))" } ?? ""),
            ]
            if !call.system.isEmpty { lines += Self.indented("system", call.system) }
            lines += Self.indented("prompt", call.prompt)
        }
        if calls.count > Self.mostPrompts { lines += ["", "… and \(Figures.count(calls.count - Self.mostPrompts)) more"] }
        return lines
    }

    var json: JSONValue {
        .object([
            .init("name", .string(name)), .init("pipeline", .string(pipeline.name)), .init("inputs", inputs),
            .init("graph", .array(pipeline.nodes.map(RunJSON.node))),
            .init("calls", .array(calls.map(json))),
        ])
    }

    /// Prompts that a person is shown.
    private static let mostPrompts = 10

    private static func indented(_ name: String, _ text: String) -> [String] {
        ["  \(name):"] + DisplayText.lines(text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    }

    private func json(_ call: StepCall) -> JSONValue {
        .object([
            .init("path", .string(call.path)), .init("model", JobJSON.string(call.model ?? options.model)),
            .init("system", call.system.isEmpty ? .null : .string(call.system)), .init("prompt", .string(call.prompt)),
        ])
    }
}
