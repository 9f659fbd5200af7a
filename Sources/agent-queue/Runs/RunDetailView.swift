import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports

/// The details of a run: facts, graph and failures.
struct RunDetailView {
    private let run: RunDetail
    private let nodes: [StepNode]
    private let showsAll: Bool
    private let waits: [WaitReason]
    private let now: Int64

    /// Maximum number of failures shown.
    private static let mostFailures = 20

    /// - Parameter waits: Why none of its jobs runs.
    init(_ run: RunDetail, nodes: [StepNode], all: Bool, waits: [WaitReason] = [], now: Int64) {
        self.run = run
        self.nodes = nodes
        showsAll = all
        self.waits = waits
        self.now = now
    }

    var lines: [String] {
        [facts.lines, RunTree(RunGraph(nodes, run), all: showsAll, now: now).lines, failures].filter { !$0.isEmpty }
            .joined(separator: [""]).map(\.self)
    }

    private var facts: DetailView {
        let summary = run.summary
        var sheet = DetailView()
        sheet.add("id", "\(summary.id)")
        sheet.add("name", DisplayText.line(summary.name))
        sheet.add("state", summary.state.rawValue, Style.of(summary.state))
        for wait in waits { sheet.add("waiting", DisplayText.line(wait.advice), .warning) }
        sheet.add("reason", summary.reason.map { DisplayText.line($0, limit: 1_000) }, .warning)
        sheet.add("created", Figures.time(summary.createdAt, now: now))
        sheet.add("finished", summary.finalizedAt.map { Figures.time($0, now: now) })
        sheet.add("duration", summary.finalizedAt.map { Figures.duration(milliseconds: $0 - summary.createdAt) })
        sheet.add(
            "calls",
            "\(Figures.count(summary.begun)), \(Figures.count(summary.completed)) completed"
                + (summary.failed > 0 ? ", \(Figures.count(summary.failed)) failed" : ""))
        sheet.add("tokens", "\(Figures.count(summary.usage.inputTokens)) in, \(Figures.count(summary.usage.outputTokens)) out")
        sheet.add("cost", Figures.money(summary.cost, unpriced: summary.unpricedCalls))
        return sheet
    }

    private var failures: [String] {
        let failed = run.calls.filter { $0.failure != nil && NodeStatus($0) != .completed }
        guard !failed.isEmpty else { return [] }
        var lines = [Style.apply(.bold, to: "Failures", on: .output)]
        for call in failed.prefix(Self.mostFailures) {
            let job = call.record.jobID.map { " (job \($0))" } ?? ""
            lines.append("  \(DisplayText.line(call.record.path))\(job): \(DisplayText.line(call.failure ?? "", limit: 1_000))")
        }
        if failed.count > Self.mostFailures { lines.append("  … and \(Figures.count(failed.count - Self.mostFailures)) more") }
        return lines
    }
}

/// A run's graph as an indented list.
struct RunTree {
    private let graph: RunGraph
    private let glyphs: Glyphs
    private let now: Int64
    private let showsAll: Bool
    private var table: Table

    /// Maximum number of calls of a step that are shown individually.
    private static let mostCalls = 8

    /// - Parameter all: Whether to show every call, and the steps of every round.
    init(_ graph: RunGraph, all: Bool, now: Int64, glyphs: Glyphs = .own, screen: Screen = .output) {
        self.graph = graph
        self.glyphs = glyphs
        self.now = now
        showsAll = all
        table = Table(
            [
                Column("STEP", .text, leastWidth: 16), Column("STATE", .fixed), Column("TIME", isNumber: true),
                Column("IN", isNumber: true), Column("OUT", isNumber: true), Column("COST", isNumber: true), Column("MODEL", leastWidth: 8),
            ], screen: screen)
    }

    var lines: [String] {
        var tree = self
        tree.add(graph.nodes, prefix: "", depth: 0, isOver: false)
        return tree.table.takeLines()
    }

    private mutating func add(_ nodes: [StepNode], prefix: String, depth: Int, isOver: Bool) {
        for node in nodes {
            let status = graph.status(of: node, among: nodes, in: prefix, isOver: isOver)
            let calls = graph.calls(of: node, in: prefix)
            let name = DisplayText.line(node.name) + (node.manner.map { "  \(DisplayText.line($0, limit: 60))" } ?? "")
            addRow(name, status, calls, depth: depth)
            if node.children.isEmpty {
                addCalls(calls, depth: depth + 1)
            } else {
                addRounds(of: node, prefix: prefix, depth: depth + 1, isOver: isOver || status == .skipped)
            }
        }
    }

    /// The calls of a step with several; only failed ones if there are many.
    private mutating func addCalls(_ calls: [StepCallDetail], depth: Int) {
        guard calls.count > 1 || calls.contains(where: { !CallPath($0.record.path).suffix.isEmpty }) else { return }
        let failed = calls.filter { NodeStatus($0) == .failed }.prefix(Self.mostCalls)
        for call in showsAll || calls.count <= Self.mostCalls ? calls[...] : failed[...] {
            addRow(DisplayText.line(CallPath(call.record.path).suffix), NodeStatus(call), [call], depth: depth)
        }
    }

    /// The rounds of a group, with steps for the last one only.
    private mutating func addRounds(of group: StepNode, prefix: String, depth: Int, isOver: Bool) {
        let rounds = graph.rounds(of: group, in: prefix)
        guard let last = rounds.last else { return add(group.children, prefix: "\(prefix)\(group.name)/1/", depth: depth, isOver: isOver) }
        for round in rounds {
            let inner = "\(prefix)\(group.name)/\(round)/"
            let calls = graph.calls(ofRound: round, of: group, in: prefix)
            let isRepeated = group.manner != nil || rounds.count > 1
            if isRepeated { addRow("round \(round)", graph.status(of: StepTotals(calls)), calls, depth: depth) }
            guard showsAll || round == last else { continue }
            add(group.children, prefix: inner, depth: depth + (isRepeated ? 1 : 0), isOver: isOver || round != last)
        }
    }

    private mutating func addRow(_ name: String, _ status: NodeStatus, _ calls: [StepCallDetail], depth: Int) {
        let totals = StepTotals(calls)
        let indent = String(repeating: "  ", count: depth)
        let tokens = totals.usage.inputTokens + totals.usage.outputTokens > 0
        table.add([
            Cell("\(indent)\(status.glyph(glyphs)) \(name)", status.style), Cell(state(status, totals), status.style),
            Cell(totals.duration(now: now).map { Figures.duration(milliseconds: $0) } ?? ""),
            Cell(tokens ? Figures.count(totals.usage.inputTokens) : ""), Cell(tokens ? Figures.count(totals.usage.outputTokens) : ""),
            Cell(totals.cost > 0 || totals.unpriced > 0 ? Figures.money(totals.cost, unpriced: totals.unpriced) : ""),
            Cell(target(calls, totals)),
        ])
    }

    /// `completed`, `running 3/8`, `completed 7/8, 1 failed`.
    private func state(_ status: NodeStatus, _ totals: StepTotals) -> String {
        guard totals.count > 1 else { return status.rawValue }
        let failed = totals.failed > 0 && status != .failed ? ", \(Figures.count(totals.failed)) failed" : ""
        return "\(status.rawValue) \(Figures.count(totals.completed))/\(Figures.count(totals.count))\(failed)"
    }

    private func target(_ calls: [StepCallDetail], _ totals: StepTotals) -> String {
        let target = totals.target.map { DisplayText.line($0) } ?? ""
        guard calls.count == 1, let answeredBy = calls[0].answeredBy, answeredBy != .provider else { return target }
        return "\(target) (\(answeredBy.rawValue))"
    }
}

extension NodeStatus {
    func glyph(_ glyphs: Glyphs) -> String {
        switch self {
        case .waiting: glyphs.waiting
        case .running, .retrying: glyphs.running
        case .completed: glyphs.completed
        case .failed, .cancelled: glyphs.failed
        case .skipped: glyphs.skipped
        }
    }

    var style: Style { Style(tone) }
}
