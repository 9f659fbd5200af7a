import AgentQueueModel

extension Pipeline {
    /// Decides what a run does next, given the ends of its calls (``RunSnapshot/ends``). Pure: the same run and outputs give the same
    /// result.
    /// - Parameter outputs: the texts of completed calls, by path, as far as they are known.
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

    /// The end of a run whose steps have all ended; nil if outputs are missing.
    private func end(of evaluation: Evaluation, _ scope: StepScope) -> RunEnd? {
        guard let output = graph.output else {
            let ends = graph.steps.filter { step in !graph.steps.contains { $0.needs.contains(step.name) } }
            let values = ends.map { JSONValue.Member($0.name, evaluation.value(of: $0, in: scope)) }
            return bounded(values.count == 1 ? values[0].value : .object(values))
        }
        guard let values = evaluation.knownValues(output.references, at: EvaluationContext(scope: scope)) else { return nil }
        // A single tag is its value, text or JSON.
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

/// The result of asking what a run does next.
package enum AdvanceResult: Sendable, Equatable {
    /// It depends on the outputs of these calls, by path.
    case needs([String])
    /// The next steps.
    case decided(NextSteps)
}

/// The next steps of a run.
package struct NextSteps: Sendable, Equatable {
    /// The calls to start.
    package var calls: [StepCall]
    /// The end of the run; nil if it goes on.
    package var end: RunEnd?
    /// Whether there are more calls to start than should be started at once.
    package var isDue: Bool
    /// When retrying: calls to forget, by path.
    package var forgotten: [String]
    /// When retrying: calls whose jobs are retried, by path.
    package var revived: [String]

    /// Makes next steps.
    package init(calls: [StepCall] = [], end: RunEnd? = nil, isDue: Bool = false, forgotten: [String] = [], revived: [String] = []) {
        self.calls = calls
        self.end = end
        self.isDue = isDue
        self.forgotten = forgotten
        self.revived = revived
    }
}

/// A call that a pipeline starts, with its texts rendered and nothing checked yet.
@dynamicMemberLookup
package struct StepCall: Sendable, Equatable {
    /// Its path in the run.
    package var path: String
    /// Its job. If it has no model, the run's is used, or else the configuration's default.
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

    /// The options of the job.
    package subscript<Value>(dynamicMember path: WritableKeyPath<JobDraft, Value>) -> Value {
        get { job[keyPath: path] }
        set { job[keyPath: path] = newValue }
    }
}
