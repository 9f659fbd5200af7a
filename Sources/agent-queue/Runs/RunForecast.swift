import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports

/// `run --dry-run`.
extension RunForecast {
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

    /// Maximum number of prompts shown.
    private static let mostPrompts = 10

    private static func indented(_ name: String, _ text: String) -> [String] {
        ["  \(name):"] + DisplayText.lines(text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    }
}
