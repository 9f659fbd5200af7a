import AgentQueueModel

/// Steps that call a model: starting them, and their state.
extension Evaluation {
    func status(of step: StepPlan, _ call: CallPlan, in scope: StepScope) throws(Suspension) -> StepStatus {
        let path = scope.prefix + step.name
        guard let foreach = call.foreach else {
            let unit = try unit(path, call, at: EvaluationContext(scope: scope))
            scope.units[step.name] = [unit]
            return try status(of: [unit], step, call)
        }
        let items = try items(of: foreach, at: EvaluationContext(scope: scope), path: path)
        var units: [Unit] = []
        for (index, item) in items.enumerated() {
            let place = EvaluationContext(scope: scope, item: item, number: index + 1, count: items.count)
            let itemPath = "\(path)[\(index)]"
            if step.isWhenOfItems, let when = step.when, !isBegun(itemPath, call), !(try holds(when, at: place)) {
                units.append(Unit(path: itemPath, state: .skipped))
            } else {
                units.append(try unit(itemPath, call, at: place))
            }
        }
        scope.units[step.name] = units
        return try status(of: units, step, call)
    }

    private func isBegun(_ path: String, _ call: CallPlan) -> Bool { calls[call.ensemble == nil ? path : path + "~0"] != nil }

    /// The state of a step, from its units. If answers may be unusable, they are read as soon as all are there.
    private func status(of units: [Unit], _ step: StepPlan, _ call: CallPlan) throws(Suspension) -> StepStatus {
        if isExhaustive { for unit in units { look(at: unit, call) } }
        let isFatal = call.foreach == nil || step.onFailure == .fail
        var isWaiting = false
        for unit in units {
            switch unit.state {
            case .waiting: isWaiting = true
            case .failed(let reason) where isFatal: throw .failed(reason)
            case .failed, .skipped, .ended: break
            }
        }
        if isWaiting { return .waiting }
        guard call.mayBeUnusable else { return .done }
        let before = missing.count
        let results = units.map { result(of: $0, call) }
        guard missing.count == before else { throw .missing }
        for case .failed(let reason)? in results where isFatal { throw .failed(reason) }
        return .done
    }

    /// Finds unusable answers, even if other calls of the step have failed or not ended.
    private func look(at unit: Unit, _ call: CallPlan) {
        guard call.mayBeUnusable else { return }
        _ = result(of: unit, call)
        for member in unit.members where calls[member.path]?.state == .completed {
            _ = answer(at: member.path, isParsed: call.isParsed)
        }
    }

    /// A unit in its present state. Calls that have not started are started.
    private func unit(_ path: String, _ call: CallPlan, at place: EvaluationContext) throws(Suspension) -> Unit {
        guard let ensemble = call.ensemble else {
            guard let known = calls[path] else {
                return Unit(path: path, state: try begin(path, call.question, call, at: place))
            }
            return Unit(path: path, state: Self.state(of: known, path))
        }
        return try self.unit(path, ensemble, call, at: place)
    }

    static func state(of call: KnownCall, _ path: String) -> Unit.State {
        switch call.state {
        case .running: .waiting
        case .completed: .ended
        case .failed: .failed(call.message.map { "\(path) failed: \($0)" } ?? "\(path) failed")
        }
    }

    /// Starts a call.
    /// - Parameter change: makes changes to this call alone.
    /// - Returns: that it is waiting, or why it cannot be made.
    func begin(
        _ path: String, _ question: QuestionPlan, _ plan: CallPlan, at place: EvaluationContext,
        _ change: (inout StepCall) -> Void = { _ in }
    ) throws(Suspension) -> Unit.State {
        guard wanted.count < PipelineLimits.maxCalls else {
            isDue = true
            return .waiting
        }
        let values = try values(question.references, at: place)
        guard let prompt = question.prompt.text(with: values) else { return .failed("\(path): its prompt is larger than 16 MiB") }
        var call = StepCall(path: path, job: plan.call.job, prompt: prompt)
        // The role's options are in the question, and its templates are filled in below.
        question.options.apply(to: &call.job)
        (call.job.role, call.job.system) = (nil, nil)
        if let system = question.system {
            guard let text = system.text(with: values) else { return .failed("\(path): its system text is larger than 16 MiB") }
            call.system = text
        }
        // In order of precedence: the step's target, the run's, the mode's.
        call.model = target(question.model) ?? (model == nil ? target(graph.model) : nil)
        switch plan.call.schema {
        case nil: break
        case .inline(let schema): call.schema = schema
        case .input(let name): call.schema = inputs[name]
        }
        change(&call)
        wanted.append(call)
        return .waiting
    }

    func target(_ template: PromptTemplate?) -> String? { template?.text(with: ["inputs": inputs], limit: 4_096) }
}

/// What is known of a call, from its record and its end.
struct KnownCall {
    var state: StepState
    var jobID: Int64?
    /// Its answer, if it was reported just now.
    var text: String?
    /// Why it failed, if known.
    var message: String?
}

extension RunSnapshot {
    /// All calls, with the ends applied that the run has not been told yet.
    var calls: [String: KnownCall] {
        var calls = steps.mapValues { KnownCall(state: $0.state, jobID: $0.jobID, message: $0.message) }
        for end in ends {
            var call = calls[end.path] ?? KnownCall(state: .running, jobID: end.jobID)
            switch end.outcome {
            case .completed(let text):
                call.state = .completed
                call.text = text
            case .failed(let message):
                call.state = .failed
                call.message = message
            }
            calls[end.path] = call
        }
        return calls
    }
}

extension CallPlan {
    /// Whether answers may be unusable: those that must be JSON, and those that are chosen by confidence.
    var mayBeUnusable: Bool { isParsed || ensemble?.judge != nil || ensemble?.confidence != nil }
}
