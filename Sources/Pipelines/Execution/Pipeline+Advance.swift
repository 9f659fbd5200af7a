import JobModel

extension Pipeline {
    /// What a run does next, now that its ends are known (``RunSnapshot/ends``). Pure: the same run and outputs, the same decision.
    /// - Parameter outputs: the texts that completed calls were answered with, by path, as far as they are known.
    public func advance(_ run: RunSnapshot, outputs: [String: String]) -> Advance {
        advance(run, calls: run.calls, outputs: outputs)
    }

    func advance(_ run: RunSnapshot, calls: [String: KnownCall], outputs: [String: String]) -> Advance {
        let evaluation = Evaluation(graph, run, calls: calls, outputs: outputs)
        let scope = StepScope(prefix: "", steps: graph.steps)
        let outcome = evaluation.walk(scope)
        guard evaluation.missing.isEmpty else { return .needs(evaluation.missing) }
        switch outcome {
        case .waiting: return .decided(Decision(calls: evaluation.wanted, isDue: evaluation.isDue))
        case .failed(let reason): return .decided(Decision(end: .failed(reason)))
        case .complete:
            let end = end(of: evaluation, scope)
            return evaluation.missing.isEmpty ? .decided(Decision(end: end)) : .needs(evaluation.missing)
        }
    }

    /// The end of a run whose steps have all ended; nil where outputs are missing.
    private func end(of evaluation: Evaluation, _ scope: StepScope) -> RunEnd? {
        guard let output = graph.output else {
            let ends = graph.steps.filter { step in !graph.steps.contains { $0.needs.contains(step.name) } }
            let values = ends.map { JSONValue.Member($0.name, evaluation.value(of: $0, in: scope)) }
            return bounded(values.count == 1 ? values[0].value : .object(values))
        }
        guard let values = try? evaluation.values(output.references, at: Place(scope: scope)) else { return nil }
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
