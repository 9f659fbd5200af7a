import AgentQueueModel

extension Pipeline {
    /// Decides how a failed or cancelled run is retried: only what failed, and what depends on it, is done again.
    package func retry(_ run: RunSnapshot, outputs: [String: String]) -> AdvanceResult {
        var calls = run.calls
        let evaluation = Evaluation(graph, run, calls: calls, outputs: outputs, isExhaustive: true)
        _ = evaluation.walk(StepScope(prefix: "", steps: graph.steps))
        guard evaluation.missing.isEmpty else { return .needs(evaluation.missing) }

        var plan = RetryPlan(calls: calls, unusable: evaluation.unusable)
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
        // The cache would return the same unusable answer.
        for index in decision.calls.indices where evaluation.unusable.contains(decision.calls[index].path) {
            decision.calls[index].cache = false
        }
        return .decided(decision)
    }
}

/// Selects the calls that a retry makes again: those that failed, and later ones that used, or waited for, their outputs.
struct RetryPlan {
    private let calls: [String: KnownCall]
    private let unusable: Set<String>
    /// Calls by their step: `code`, `refine/2/review`.
    private let callsOfStep: [String: [String]]
    /// Calls to start as if they had never existed.
    private(set) var forgotten: Set<String> = []
    /// Calls whose jobs are retried.
    private(set) var revived: Set<String> = []

    init(calls: [String: KnownCall], unusable: Set<String>) {
        self.calls = calls
        self.unusable = unusable
        callsOfStep = Dictionary(grouping: calls.keys) { path in String(path.prefix { $0 != "[" && $0 != "~" }) }
    }

    /// Goes through the steps at one level.
    /// - Returns: whether any of their calls is made again.
    @discardableResult
    mutating func add(_ steps: [StepPlan], prefix: String) -> Bool {
        var changed: Set<String> = []
        for step in steps {
            let path = prefix + step.name
            if step.needs.contains(where: changed.contains) {
                forgetAll(of: path)
                changed.insert(step.name)
            } else if add(step, path) {
                changed.insert(step.name)
            }
        }
        return !changed.isEmpty
    }

    private mutating func add(_ step: StepPlan, _ path: String) -> Bool {
        switch step.work {
        case .call: return addCalls(of: path)
        case .group(let group):
            var isChanged = false
            for round in Repetition.bounds {
                let prefix = "\(path)/\(round)/"
                if isChanged {
                    forget(below: prefix)
                } else {
                    isChanged = add(group.steps, prefix: prefix)
                }
            }
            return isChanged
        }
    }

    private mutating func addCalls(of path: String) -> Bool {
        var units: Set<String> = []
        for call in callsOfStep[path] ?? [] {
            if unusable.contains(call) {
                forgotten.insert(call)
            } else if let known = calls[call], known.state == .failed {
                if known.jobID == nil { forgotten.insert(call) } else { revived.insert(call) }
            } else {
                continue
            }
            units.insert(String(call.prefix { $0 != "~" }))
        }
        // If an answer is new, the judge must decide again.
        for unit in units {
            let judge = unit + "~judge"
            let isNew = (callsOfStep[path] ?? []).contains { call in
                call != judge && call.hasPrefix(unit + "~") && (forgotten.contains(call) || revived.contains(call))
            }
            guard isNew, calls[judge] != nil else { continue }
            revived.remove(judge)
            forgotten.insert(judge)
        }
        return !units.isEmpty
    }

    private mutating func forgetAll(of path: String) {
        forgotten.formUnion(callsOfStep[path] ?? [])
        forget(below: path + "/")
    }

    private mutating func forget(below prefix: String) {
        forgotten.formUnion(calls.keys.filter { $0.hasPrefix(prefix) })
    }
}
