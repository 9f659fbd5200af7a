import JobModel

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
        let standing = StepStanding(call)
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
