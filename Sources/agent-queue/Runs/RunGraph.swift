import JobModel
import Pipelines

/// A run's steps with how they stand: its pipeline's graph, and the calls begun so far.
struct RunGraph {
    let nodes: [StepNode]
    let run: RunSummary
    private let calls: [String: [StepCallDetail]]
    private let rounds: [String: Set<Int>]

    init(_ nodes: [StepNode], _ run: RunDetail) {
        self.nodes = nodes
        self.run = run.summary
        var calls: [String: [StepCallDetail]] = [:]
        var rounds: [String: Set<Int>] = [:]
        for call in run.calls {
            let path = CallPath(call.record.path)
            calls[path.step, default: []].append(call)
            for (group, round) in path.rounds { rounds[group, default: []].insert(round) }
        }
        self.calls = calls
        self.rounds = rounds
    }

    /// The calls of a step, in the order in which they were begun.
    /// - Parameter prefix: the groups and rounds that it is in, with a slash at the end; empty outside of them.
    func calls(of node: StepNode, in prefix: String) -> [StepCallDetail] {
        guard !node.children.isEmpty else { return calls[prefix + node.name] ?? [] }
        return rounds(of: node, in: prefix).flatMap { round in calls(ofRound: round, of: node, in: prefix) }
    }

    /// The calls of one round of a group.
    func calls(ofRound round: Int, of group: StepNode, in prefix: String) -> [StepCallDetail] {
        let inner = "\(prefix)\(group.name)/\(round)/"
        return group.children.flatMap { calls(of: $0, in: inner) }
    }

    /// The rounds of a group that have begun, from the first.
    func rounds(of group: StepNode, in prefix: String) -> [Int] { (rounds[prefix + group.name] ?? []).sorted() }

    /// How a step stands.
    /// - Parameters:
    ///   - siblings: the steps beside it.
    ///   - isOver: whether the round that it is in has ended.
    func standing(of node: StepNode, among siblings: [StepNode], in prefix: String, isOver: Bool) -> StepStanding {
        let calls = calls(of: node, in: prefix)
        guard !calls.isEmpty else {
            // Nobody says of a step that it was skipped; but what needs it begins only when it is done with.
            let isPassed = siblings.contains { $0.needs.contains(node.name) && !self.calls(of: $0, in: prefix).isEmpty }
            return isOver || isPassed || run.state.isFinal ? .skipped : .waiting
        }
        if calls.count == 1, node.children.isEmpty { return StepStanding(calls[0]) }
        return standing(of: StepTotals(calls))
    }

    /// How several calls stand together.
    func standing(of totals: StepTotals) -> StepStanding {
        if totals.isAnyRunning { return .running }
        if totals.isAnyOpen { return totals.completed > 0 ? .running : .waiting }
        if totals.failed > 0, totals.completed == 0 || run.state == .failed { return run.state == .cancelled ? .cancelled : .failed }
        return .completed
    }
}
