import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueStore

/// A preview of a run: its graph, its first calls, and what it would come to at most.
package struct RunForecast {
    package let pipeline: Pipeline
    package let options: RunOptions
    /// Calls that would start immediately.
    package let calls: [StepCall]
    package let estimate: RunEstimate
    private let name: String
    private let inputs: JSONValue

    /// - Parameters:
    ///   - inputs: Checked, with defaults filled in.
    ///   - context: What calls are checked against.
    ///   - cost: The most that the call of a job may cost in US dollars; nil if its price is unknown.
    package init(
        _ pipeline: Pipeline, name: String, inputs: JSONValue, options: RunOptions, context: IntakeContext,
        cost: (NewJob) -> Double?
    ) {
        (self.pipeline, self.name, self.inputs, self.options) = (pipeline, name, inputs, options)
        let snapshot = RunSnapshot(
            id: 0, name: name, digest: [], definition: pipeline.definition, inputs: inputs, options: options)
        // A run that has not started has no outputs yet.
        if case .decided(let decision) = pipeline.advance(snapshot, outputs: [:]) { calls = decision.calls } else { calls = [] }
        estimate = RunEstimate(snapshot, of: pipeline, options: options, context: context, cost: cost)
    }

    package var json: JSONValue {
        .object([
            .init("name", .string(name)), .init("pipeline", .string(pipeline.name)), .init("inputs", inputs),
            .init("graph", .array(pipeline.nodes.map(PipelineJSON.node))),
            .init("calls", .array(calls.map(json))), .init("estimate", estimate.json),
        ])
    }

    private func json(_ call: StepCall) -> JSONValue {
        .object([
            .init("path", .string(call.path)), .init("model", JobJSON.string(call.model ?? options.model)),
            .init("system", call.system.isEmpty ? .null : .string(call.system)), .init("prompt", .string(call.prompt)),
        ])
    }
}

/// What a run comes to at most, found by playing it through with made-up answers: see ``SampleAnswer``.
package struct RunEstimate {
    package private(set) var calls = 0
    /// Calls to targets without a price.
    package private(set) var unpriced = 0
    /// Maximum cost of the other calls in US dollars.
    package private(set) var cost = 0.0
    /// Whether there may be more calls: it was not played to its end.
    package private(set) var isOpen = false
    /// Why calls cannot be made, each once, with the path of the first such call.
    package private(set) var faults: [InputError] = []
    private var reasons: Set<String> = []

    /// The maximum number of calls that are played.
    private static let mostCalls = 5_000

    init(
        _ snapshot: RunSnapshot, of pipeline: Pipeline, options: RunOptions, context: IntakeContext, cost: (NewJob) -> Double?
    ) {
        var snapshot = snapshot
        while true {
            // The answers are in the snapshot, so it needs no others.
            guard case .decided(let decision) = pipeline.advance(snapshot, outputs: [:]) else { break }
            if decision.end?.state == .failed { isOpen = true }
            guard !decision.calls.isEmpty else { break }
            guard calls < Self.mostCalls else {
                isOpen = true
                break
            }
            for call in decision.calls {
                add(call, options, context, cost)
                snapshot.ends.append(StepEnd(path: call.path, jobID: nil, outcome: .completed(text: SampleAnswer.text(for: call))))
            }
        }
    }

    private mutating func add(_ call: StepCall, _ options: RunOptions, _ context: IntakeContext, _ cost: (NewJob) -> Double?) {
        calls += 1
        do throws(InputError) {
            var draft = call.job
            options.complete(&draft)
            if let cost = cost(try draft.validated(in: context)) { self.cost += cost } else { unpriced += 1 }
        } catch {
            unpriced += 1
            if reasons.insert(error.message).inserted { faults.append(InputError("\(call.path): \(error.message)", kind: error.kind)) }
        }
    }

    /// The maximum cost of all calls; nil if no price is known.
    package var knownCost: Double? { unpriced == calls && calls > 0 ? nil : cost }

    package var json: JSONValue {
        .object([
            .init("calls", .integer(Int64(calls))), .init("more_possible", .bool(isOpen)),
            .init("max_cost_usd", knownCost.map(Money.json) ?? .null), .init("unpriced", .integer(Int64(unpriced))),
        ])
    }
}
