import AgentQueueModel
import AgentQueuePipelines

/// A run's steps with their status: the graph of its pipeline and the calls made so far.
package struct RunGraph {
    package let nodes: [StepNode]
    package let run: RunSummary
    private let calls: [String: [StepCallDetail]]
    private let rounds: [String: Set<Int>]

    package init(_ nodes: [StepNode], _ run: RunDetail) {
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
    package func calls(of node: StepNode, in prefix: String) -> [StepCallDetail] {
        guard !node.children.isEmpty else { return calls[prefix + node.name] ?? [] }
        return rounds(of: node, in: prefix).flatMap { round in calls(ofRound: round, of: node, in: prefix) }
    }

    /// The calls of one round of a group.
    package func calls(ofRound round: Int, of group: StepNode, in prefix: String) -> [StepCallDetail] {
        let inner = "\(prefix)\(group.name)/\(round)/"
        return group.children.flatMap { calls(of: $0, in: inner) }
    }

    /// The rounds of a group that have begun, from the first.
    package func rounds(of group: StepNode, in prefix: String) -> [Int] { (rounds[prefix + group.name] ?? []).sorted() }

    /// The status of a step.
    /// - Parameters:
    ///   - siblings: the steps beside it.
    ///   - isOver: whether the round that it is in has ended.
    package func status(of node: StepNode, among siblings: [StepNode], in prefix: String, isOver: Bool) -> NodeStatus {
        let calls = calls(of: node, in: prefix)
        guard !calls.isEmpty else {
            // Nobody says of a step that it was skipped; but what needs it begins only when it is done with.
            let isPassed = siblings.contains { $0.needs.contains(node.name) && !self.calls(of: $0, in: prefix).isEmpty }
            return isOver || isPassed || run.state.isFinal ? .skipped : .waiting
        }
        if calls.count == 1, node.children.isEmpty { return NodeStatus(calls[0]) }
        return status(of: StepTotals(calls))
    }

    /// The status of several calls together.
    package func status(of totals: StepTotals) -> NodeStatus {
        if totals.isAnyRunning { return .running }
        if totals.isAnyOpen { return totals.completed > 0 ? .running : .waiting }
        if totals.failed > 0, totals.completed == 0 || run.state == .failed { return run.state == .cancelled ? .cancelled : .failed }
        return .completed
    }
}

/// The status of a step of a run, or of one call of it.
package enum NodeStatus: String {
    /// It has not begun, or its job has not.
    case waiting
    case running
    /// Its job is waiting for another attempt.
    case retrying
    case completed
    case failed
    case cancelled
    /// It was not needed, or the run ended before it.
    case skipped

    package init(_ call: StepCallDetail) {
        switch (call.record.state, call.jobState) {
        case (.completed, _), (.running, .completed): self = .completed
        case (_, .cancelled): self = .cancelled
        case (.failed, _), (.running, .discarded): self = .failed
        case (.running, .running): self = .running
        case (.running, .retryable): self = .retrying
        case (.running, _): self = .waiting
        }
    }

    /// Whether nothing more happens to it by itself.
    package var isFinal: Bool {
        switch self {
        case .waiting, .running, .retrying: false
        case .completed, .failed, .cancelled, .skipped: true
        }
    }

    package var tone: Tone {
        switch self {
        case .waiting, .skipped: .muted
        case .running: .active
        case .retrying, .cancelled: .warning
        case .completed: .good
        case .failed: .bad
        }
    }
}

/// What some calls of a run come to together.
package struct StepTotals {
    package private(set) var count = 0
    package private(set) var completed = 0
    package private(set) var failed = 0
    /// The tokens that were paid for.
    package private(set) var usage = Usage()
    /// The known costs, in US dollars.
    package private(set) var cost = 0.0
    /// Calls without a known cost.
    package private(set) var unpriced = 0
    /// What they went to, where that is one target.
    package private(set) var target: String?
    package private(set) var isAnyOpen = false
    package private(set) var isAnyRunning = false
    private var start: Int64?
    private var end: Int64?
    private var hasSeveralTargets = false

    package init(_ calls: some Sequence<StepCallDetail>) {
        for call in calls { add(call) }
    }

    private mutating func add(_ call: StepCallDetail) {
        count += 1
        let status = NodeStatus(call)
        if status == .completed { completed += 1 }
        if status == .failed || status == .cancelled { failed += 1 }
        if !status.isFinal { isAnyOpen = true }
        if status == .running || status == .retrying { isAnyRunning = true }
        if call.answeredBy == .provider || call.answeredBy == .fallback {
            usage.inputTokens += call.usage.inputTokens
            usage.outputTokens += call.usage.outputTokens
        }
        if let cost = call.cost { self.cost += cost } else { unpriced += 1 }
        if let began = call.attemptedAt ?? (status.isFinal ? call.createdAt : nil) { start = min(start ?? began, began) }
        if let ended = call.finalizedAt { end = max(end ?? ended, ended) }
        guard let other = call.target else { return }
        if let target, target != other { hasSeveralTargets = true }
        target = hasSeveralTargets ? nil : other
    }

    /// What they cost, for people.
    package var costWords: String {
        let words = Figures.money(Money.sum(cost, calls: count, unpriced: unpriced), unpriced: unpriced)
        return words == "unknown" ? "cost unknown" : words
    }

    /// From the beginning of the first to the end of the last, in ms, or to now while one is open; nil where none has begun.
    package func duration(now: Int64) -> Int64? {
        guard let start else { return nil }
        let end = isAnyOpen ? now : end ?? start
        return max(0, end - start)
    }
}

/// The place of a call in its run, taken apart: `refine/2/review[1]~0` is call `[1]~0` of step `refine/2/review`.
package struct CallPath {
    /// The step, with the groups and rounds it is in.
    package let step: String
    /// What tells the call from others of its step; empty for the only one.
    package let suffix: String
    /// The groups it is in, from the outermost, each with its round.
    package let rounds: [(group: String, round: Int)]

    package init(_ path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let last = parts.popLast() ?? ""
        let name = last.prefix { $0 != "[" && $0 != "~" }
        suffix = String(last.dropFirst(name.count))
        var rounds: [(group: String, round: Int)] = []
        var prefix = ""
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            let group = prefix + parts[index]
            rounds.append((group, Int(parts[index + 1]) ?? 0))
            prefix = "\(group)/\(parts[index + 1])/"
        }
        self.rounds = rounds
        step = prefix + name
    }
}
