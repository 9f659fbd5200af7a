import JobModel
import Pipelines

/// A run in detail, for people: facts, the graph, what failed.
struct RunSheet {
    private let run: RunDetail
    private let nodes: [StepNode]
    private let showsAll: Bool
    private let now: Int64

    /// Failures that are told.
    private static let mostFailures = 20

    init(_ run: RunDetail, nodes: [StepNode], all: Bool, now: Int64) {
        self.run = run
        self.nodes = nodes
        showsAll = all
        self.now = now
    }

    var lines: [String] {
        [facts.lines, RunTree(RunGraph(nodes, run), all: showsAll, now: now).lines, failures].filter { !$0.isEmpty }
            .joined(separator: [""]).map(\.self)
    }

    private var facts: Sheet {
        let summary = run.summary
        var sheet = Sheet()
        sheet.add("id", "\(summary.id)")
        sheet.add("name", DisplayText.line(summary.name))
        sheet.add("state", summary.state.rawValue, Style.of(summary.state))
        sheet.add("reason", summary.reason.map { DisplayText.line($0, limit: 1_000) }, .warning)
        sheet.add("created", Figures.time(summary.createdAt, now: now))
        sheet.add("finished", summary.finalizedAt.map { Figures.time($0, now: now) })
        sheet.add("took", summary.finalizedAt.map { Figures.duration(milliseconds: $0 - summary.createdAt) })
        sheet.add(
            "calls",
            "\(Figures.count(summary.begun)), \(Figures.count(summary.completed)) completed"
                + (summary.failed > 0 ? ", \(Figures.count(summary.failed)) failed" : ""))
        sheet.add("tokens", "\(Figures.count(summary.usage.inputTokens)) in, \(Figures.count(summary.usage.outputTokens)) out")
        sheet.add("cost", Figures.money(summary.cost))
        return sheet
    }

    private var failures: [String] {
        let failed = run.calls.filter { $0.failure != nil && StepStanding($0) != .completed }
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
