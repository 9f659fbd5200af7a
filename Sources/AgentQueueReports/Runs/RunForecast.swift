import AgentQueue
import AgentQueueModel
import AgentQueuePipelines

/// A preview of a run: its graph and its first calls.
package struct RunForecast {
    package let pipeline: Pipeline
    package let options: RunOptions
    /// Calls that would start immediately.
    package let calls: [StepCall]
    private let name: String
    private let inputs: JSONValue

    /// - Parameter inputs: Checked, with defaults filled in.
    package init(_ pipeline: Pipeline, name: String, inputs: JSONValue, options: RunOptions) {
        (self.pipeline, self.name, self.inputs, self.options) = (pipeline, name, inputs, options)
        let snapshot = RunSnapshot(
            id: 0, name: name, digest: [], definition: pipeline.definition, inputs: inputs, options: options.json)
        // A run that has not started has no outputs yet.
        if case .decided(let decision) = pipeline.advance(snapshot, outputs: [:]) { calls = decision.calls } else { calls = [] }
    }

    package var json: JSONValue {
        .object([
            .init("name", .string(name)), .init("pipeline", .string(pipeline.name)), .init("inputs", inputs),
            .init("graph", .array(pipeline.nodes.map(PipelineJSON.node))),
            .init("calls", .array(calls.map(json))),
        ])
    }

    private func json(_ call: StepCall) -> JSONValue {
        .object([
            .init("path", .string(call.path)), .init("model", JobJSON.string(call.model ?? options.model)),
            .init("system", call.system.isEmpty ? .null : .string(call.system)), .init("prompt", .string(call.prompt)),
        ])
    }
}
