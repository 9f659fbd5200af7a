import AgentQueueModel
import AgentQueuePipelines

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
    func standing(of node: StepNode, among siblings: [StepNode], in prefix: String, isOver: Bool) -> NodeStatus {
        let calls = calls(of: node, in: prefix)
        guard !calls.isEmpty else {
            // Nobody says of a step that it was skipped; but what needs it begins only when it is done with.
            let isPassed = siblings.contains { $0.needs.contains(node.name) && !self.calls(of: $0, in: prefix).isEmpty }
            return isOver || isPassed || run.state.isFinal ? .skipped : .waiting
        }
        if calls.count == 1, node.children.isEmpty { return NodeStatus(calls[0]) }
        return standing(of: StepTotals(calls))
    }

    /// How several calls stand together.
    func standing(of totals: StepTotals) -> NodeStatus {
        if totals.isAnyRunning { return .running }
        if totals.isAnyOpen { return totals.completed > 0 ? .running : .waiting }
        if totals.failed > 0, totals.completed == 0 || run.state == .failed { return run.state == .cancelled ? .cancelled : .failed }
        return .completed
    }
}

/// How a step of a run stands, or one call of it.
enum NodeStatus: String {
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

    init(_ call: StepCallDetail) {
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
    var isFinal: Bool {
        switch self {
        case .waiting, .running, .retrying: false
        case .completed, .failed, .cancelled, .skipped: true
        }
    }

    func glyph(_ glyphs: Glyphs) -> String {
        switch self {
        case .waiting: glyphs.waiting
        case .running, .retrying: glyphs.running
        case .completed: glyphs.completed
        case .failed, .cancelled: glyphs.failed
        case .skipped: glyphs.skipped
        }
    }

    var style: Style? {
        switch self {
        case .waiting, .skipped: .dim
        case .running: .busy
        case .retrying, .cancelled: .warning
        case .completed: .good
        case .failed: .bad
        }
    }
}

/// What some calls of a run come to together.
struct StepTotals {
    private(set) var count = 0
    private(set) var completed = 0
    private(set) var failed = 0
    /// The tokens that were paid for.
    private(set) var usage = Usage()
    private(set) var cost = 0.0
    /// What they went to, where that is one target.
    private(set) var target: String?
    private(set) var isAnyOpen = false
    private(set) var isAnyRunning = false
    private var start: Int64?
    private var end: Int64?
    private var hasSeveralTargets = false

    init(_ calls: some Sequence<StepCallDetail>) {
        for call in calls { add(call) }
    }

    private mutating func add(_ call: StepCallDetail) {
        count += 1
        let standing = NodeStatus(call)
        if standing == .completed { completed += 1 }
        if standing == .failed || standing == .cancelled { failed += 1 }
        if !standing.isFinal { isAnyOpen = true }
        if standing == .running || standing == .retrying { isAnyRunning = true }
        if call.answeredBy == .provider || call.answeredBy == .fallback {
            usage.inputTokens += call.usage.inputTokens
            usage.outputTokens += call.usage.outputTokens
        }
        cost += call.cost
        if let began = call.attemptedAt ?? (standing.isFinal ? call.createdAt : nil) { start = min(start ?? began, began) }
        if let ended = call.finalizedAt { end = max(end ?? ended, ended) }
        guard let other = call.target else { return }
        if let target, target != other { hasSeveralTargets = true }
        target = hasSeveralTargets ? nil : other
    }

    /// From the beginning of the first to the end of the last, in ms, or to now while one is open; nil where none has begun.
    func duration(now: Int64) -> Int64? {
        guard let start else { return nil }
        let end = isAnyOpen ? now : end ?? start
        return max(0, end - start)
    }
}

/// The place of a call in its run, taken apart: `refine/2/review[1]~0` is call `[1]~0` of step `refine/2/review`.
struct CallPath {
    /// The step, with the groups and rounds it is in.
    let step: String
    /// What tells the call from others of its step; empty for the only one.
    let suffix: String
    /// The groups it is in, from the outermost, each with its round.
    let rounds: [(group: String, round: Int)]

    init(_ path: String) {
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
