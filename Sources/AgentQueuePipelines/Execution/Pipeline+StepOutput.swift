import AgentQueueModel

extension Pipeline {
    /// The output of a step as later steps see it: a list for a step with `foreach`, the chosen answer of an ensemble, an object for a group.
    /// - Parameters:
    ///   - path: a step (`write`, `refine`, `refine/2/judge`), an element of a step with `foreach` (`write[0]`), or a round of a group
    ///     (`refine/2`).
    ///   - outputs: the texts of completed calls, by path, as far as they are known.
    package func output(of path: String, in run: RunSnapshot, outputs: [String: String]) -> StepOutput {
        // Every step is evaluated, also after a failure that ended the run.
        let evaluation = Evaluation(graph, run, calls: run.calls, outputs: outputs, isExhaustive: true)
        _ = evaluation.walk(StepScope(prefix: "", steps: graph.steps))
        guard evaluation.missing.isEmpty else { return .needs(evaluation.missing) }
        let output = evaluation.output(of: path)
        return evaluation.missing.isEmpty ? output : .needs(evaluation.missing)
    }

    /// The paths of all steps, those in groups as conditions write them: `refine`, `refine.judge`.
    package var stepNames: [String] { Self.names(of: graph.steps, in: "") }

    private static func names(of steps: [StepPlan], in prefix: String) -> [String] {
        steps.flatMap { step -> [String] in
            guard case .group(let group) = step.work else { return [prefix + step.name] }
            return [prefix + step.name] + names(of: group.steps, in: "\(prefix)\(step.name).")
        }
    }
}

/// The output of a step of a run.
package enum StepOutput: Sendable, Equatable {
    /// It depends on the outputs of these calls, by path.
    case needs([String])
    /// Its value: null for a skipped step.
    case value(JSONValue)
    /// It has none yet, or failed.
    case none
    /// There is no such step.
    case unknown
}

extension Evaluation {
    /// The output at a path, after ``walk(_:)``.
    fileprivate func output(of path: String) -> StepOutput {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // `refine.judge` is a step of the round whose outputs are the group's.
        let dotted = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1, dotted.count > 1 { return field(dotted) }
        if parts.count > 1, let last = parts.last, Int(last) != nil {
            guard isGroup(parts.dropLast().joined(separator: "/")) else { return .unknown }
            guard let round = scopes[path + "/"] else { return .none }
            return round.isComplete ? .value(outputs(of: round)) : .none
        }
        let prefix = parts.dropLast().map { $0 + "/" }.joined()
        let name = String((parts.last ?? "").prefix { $0 != "[" })
        guard let scope = scopes[prefix] else { return isGroup(parts.dropLast(2).joined(separator: "/")) ? .none : .unknown }
        guard let step = scope.step(named: name) else { return .unknown }
        guard name.count < (parts.last ?? "").count else { return output(of: step, in: scope) }
        guard case .call(let call) = step.work, call.foreach != nil else { return .unknown }
        guard let units = scope.units[step.name] else { return .none }
        guard let unit = units.first(where: { $0.path == path }) else { return .unknown }
        switch result(of: unit, call) {
        case .value(let value)?: return .value(value)
        case .failed?, nil: return .none
        }
    }

    private func field(_ names: [String]) -> StepOutput {
        var scope = scopes[""]
        for (index, name) in names.enumerated() {
            guard let current = scope else { return .none }
            guard let step = current.step(named: name) else { return .unknown }
            if index == names.count - 1 { return output(of: step, in: current) }
            guard case .group(let group) = step.work else { return .unknown }
            scope = chosenRound(of: group, current.rounds[name] ?? [])
        }
        return .unknown
    }

    private func output(of step: StepPlan, in scope: StepScope) -> StepOutput {
        guard let status = scope.statuses[step.name], !status.isWaiting else { return .none }
        return .value(value(of: step, in: scope))
    }

    private func outputs(of scope: StepScope) -> JSONValue {
        .object(scope.steps.map { .init($0.name, value(of: $0, in: scope)) })
    }

    private func isGroup(_ path: String) -> Bool {
        var steps = graph.steps
        for (index, name) in path.split(separator: "/").map(String.init).enumerated() where index.isMultiple(of: 2) {
            guard case .group(let group)? = steps.first(where: { $0.name == name })?.work else { return false }
            steps = group.steps
        }
        return !path.isEmpty
    }
}

extension StepScope {
    /// Whether all its steps have ended.
    fileprivate var isComplete: Bool { steps.allSatisfy { statuses[$0.name]?.isWaiting == false } }
}
