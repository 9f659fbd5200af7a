import JobModel
import Pipelines
import QueueStore

/// What is shown of a run while it is waited for: on a terminal its steps, elsewhere a line for each call that has ended.
struct RunProgress {
    let run: Int64
    let isOneOfSeveral: Bool
    private var nodes: [StepNode]?
    private var told: Set<String> = []
    private var lookedAt = -1.0
    /// What a terminal shows now.
    private(set) var lines: [String] = []

    /// How often a terminal is drawn again, in seconds.
    private static let interval = 0.1

    init(run: Int64, isOneOfSeveral: Bool) {
        self.run = run
        self.isOneOfSeveral = isOneOfSeveral
    }

    /// Reads how the run stands. On a terminal nothing is said; elsewhere, what has ended since the last look.
    mutating func look(at store: QueueStore) throws {
        let now = Now.seconds
        let isFinal = try store.runStates(of: [run])[run]?.isFinal ?? true
        guard isFinal || now - lookedAt >= Self.interval else { return }
        lookedAt = now
        guard let detail = try store.runDetail(run) else { return }
        guard Screen.error.isTerminal else { return tell(detail) }
        let nodes = try self.nodes ?? Pipeline(definition: detail.snapshot.definition).nodes
        self.nodes = nodes
        let tree = RunTree(RunGraph(nodes, detail), all: false, now: Now.milliseconds, screen: .error)
        lines = (isOneOfSeveral ? ["run \(run)  \(DisplayText.line(detail.summary.name))"] : []) + tree.lines
    }

    private mutating func tell(_ detail: RunDetail) {
        for call in detail.calls where StepStanding(call).isFinal && told.insert(call.record.path).inserted {
            var parts = [StepStanding(call).rawValue]
            if let duration = StepTotals([call]).duration(now: Now.milliseconds) { parts.append(Figures.duration(milliseconds: duration)) }
            let tokens = StepTotals([call]).usage
            if tokens.inputTokens > 0 { parts.append(Figures.count(tokens.inputTokens + tokens.outputTokens, "token")) }
            if call.cost > 0 { parts.append(Figures.money(call.cost)) }
            if StepStanding(call) != .completed, let failure = call.failure { parts.append(String(failure.prefix(500))) }
            Diagnostics.say("run \(run): \(call.record.path) \(parts.joined(separator: ", "))")
        }
    }
}
