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
        lines.append("")
        lines += estimate.lines
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

    /// Refuses a run whose calls cannot be made: a line for each reason.
    func check() throws {
        guard let last = estimate.faults.last else { return }
        for fault in estimate.faults.dropLast() { Diagnostics.say(fault.message) }
        throw last
    }

    /// Maximum number of prompts shown.
    private static let mostPrompts = 10

    private static func indented(_ name: String, _ text: String) -> [String] {
        ["  \(name):"] + DisplayText.lines(text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    }
}

extension RunEstimate {
    /// For people.
    var lines: [String] {
        var sheet = DetailView()
        sheet.add("calls", "\(isOpen ? "more than" : "up to") \(Figures.count(calls))")
        sheet.add("maximum cost", knownCost.map(Figures.money) ?? "unknown")
        if unpriced > 0 { sheet.add("unknown price", Figures.count(unpriced, "call"), .warning) }
        return sheet.lines
    }
}
