import JobModel

extension Pipeline {
    /// What a run that failed or was cancelled does when it is retried: only what failed, and what depended on it.
    public func retry(_ run: RunSnapshot, outputs: [String: String]) -> Advance {
        var calls = run.calls
        let evaluation = Evaluation(graph, run, calls: calls, outputs: outputs, isExhaustive: true)
        _ = evaluation.walk(StepScope(prefix: "", steps: graph.steps))
        guard evaluation.missing.isEmpty else { return .needs(evaluation.missing) }

        var plan = RetryPlan(calls: calls, useless: evaluation.useless)
        plan.add(graph.steps, prefix: "")
        for path in plan.forgotten { calls[path] = nil }
        for path in plan.revived {
            calls[path]?.state = .running
            calls[path]?.text = nil
            calls[path]?.message = nil
        }
        let advance = advance(run, calls: calls, outputs: outputs)
        guard case .decided(var decision) = advance else { return advance }
        decision.forgotten = plan.forgotten.sorted()
        decision.revived = plan.revived.sorted()
        // The cache would answer as before what could not serve.
        for index in decision.calls.indices where evaluation.useless.contains(decision.calls[index].path) {
            decision.calls[index].usesCache = false
        }
        return .decided(decision)
    }
}
