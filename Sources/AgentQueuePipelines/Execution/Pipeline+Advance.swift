import AgentQueueModel

extension Pipeline {
    /// What a run does next, now that its ends are known (``RunSnapshot/ends``). Pure: the same run and outputs, the same decision.
    /// - Parameter outputs: the texts that completed calls were answered with, by path, as far as they are known.
    package func advance(_ run: RunSnapshot, outputs: [String: String]) -> AdvanceResult {
        advance(run, calls: run.calls, outputs: outputs)
    }

    func advance(_ run: RunSnapshot, calls: [String: KnownCall], outputs: [String: String]) -> AdvanceResult {
        let evaluation = Evaluation(graph, run, calls: calls, outputs: outputs)
        let scope = StepScope(prefix: "", steps: graph.steps)
        let outcome = evaluation.walk(scope)
        guard evaluation.missing.isEmpty else { return .needs(evaluation.missing) }
        switch outcome {
        case .waiting: return .decided(NextSteps(calls: evaluation.wanted, isDue: evaluation.isDue))
        case .failed(let reason): return .decided(NextSteps(end: .failed(reason)))
        case .complete:
            let end = end(of: evaluation, scope)
            return evaluation.missing.isEmpty ? .decided(NextSteps(end: end)) : .needs(evaluation.missing)
        }
    }

    /// The end of a run whose steps have all ended; nil where outputs are missing.
    private func end(of evaluation: Evaluation, _ scope: StepScope) -> RunEnd? {
        guard let output = graph.output else {
            let ends = graph.steps.filter { step in !graph.steps.contains { $0.needs.contains(step.name) } }
            let values = ends.map { JSONValue.Member($0.name, evaluation.value(of: $0, in: scope)) }
            return bounded(values.count == 1 ? values[0].value : .object(values))
        }
        guard let values = evaluation.knownValues(output.references, at: EvaluationContext(scope: scope)) else { return nil }
        // One tag alone is its value, be it text or JSON.
        if let path = output.solePath { return bounded(values.value(at: path)) }
        guard let text = output.text(with: values, limit: JobLimits.maxReplyBytes) else { return bounded(nil) }
        return bounded(.string(text))
    }

    private func bounded(_ output: JSONValue?) -> RunEnd {
        guard let output, output.utf8(sorted: false).count <= JobLimits.maxReplyBytes else {
            return .failed("its output is larger than 64 MiB")
        }
        return .completed(output)
    }
}

/// What came of asking what a run does next.
package enum AdvanceResult: Sendable, Equatable {
    /// It depends on what these calls were answered with, by path.
    case needs([String])
    /// That is what it does.
    case decided(NextSteps)
}

/// What a run does next.
package struct NextSteps: Sendable, Equatable {
    /// The calls that it begins.
    package var calls: [StepCall]
    /// How it ends; nil where it goes on.
    package var end: RunEnd?
    /// Whether it has more to begin than should be begun at once.
    package var isDue: Bool
    /// Calls that are forgotten, by path: a retry's.
    package var forgotten: [String]
    /// Calls whose jobs are given a new life, by path: a retry's.
    package var revived: [String]

    /// Makes a decision.
    package init(calls: [StepCall] = [], end: RunEnd? = nil, isDue: Bool = false, forgotten: [String] = [], revived: [String] = []) {
        self.calls = calls
        self.end = end
        self.isDue = isDue
        self.forgotten = forgotten
        self.revived = revived
    }
}

/// A call that a pipeline wants made: its texts written out, nothing checked yet.
@dynamicMemberLookup
package struct StepCall: Sendable, Equatable {
    /// Its place in the run.
    package var path: String
    /// The job that it is. Without a model it is the run's, or else the configuration's default.
    package var job: JobDraft

    /// Makes a call.
    package init(path: String, job: JobDraft = JobDraft(), prompt: String) {
        self.path = path
        self.job = job
        self.job.prompt = prompt
    }

    /// The user's message.
    package var prompt: String {
        get { job.prompt ?? "" }
        set { job.prompt = newValue }
    }

    /// The system text; empty for none.
    package var system: String {
        get { job.system ?? "" }
        set { job.system = newValue.isEmpty ? nil : newValue }
    }

    /// What the job says.
    package subscript<Value>(dynamicMember path: WritableKeyPath<JobDraft, Value>) -> Value {
        get { job[keyPath: path] }
        set { job[keyPath: path] = newValue }
    }
}
