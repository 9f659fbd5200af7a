import AgentQueueModel
import AgentQueuePipelines
import Testing

/// A run of a pipeline, in memory: told ends, it says what begins.
struct Runs {
    let pipeline: Pipeline
    var snapshot: RunSnapshot
    /// What completed calls were answered with.
    var texts: [String: String] = [:]
    /// How it ended.
    private(set) var end: RunEnd?
    /// Everything begun, in order.
    private(set) var begun: [String] = []

    init(_ pipeline: Pipeline, inputs: JSONValue = [:]) throws {
        self.pipeline = pipeline
        snapshot = RunSnapshot(
            id: 1, name: pipeline.name, digest: [], definition: "", inputs: try pipeline.checked(inputs: inputs), options: RunOptions())
    }

    init(_ yaml: String, inputs: JSONValue = [:]) throws {
        try self.init(try Pipeline(yaml: yaml, path: "p.yaml"), inputs: inputs)
    }

    /// What would begin first; changes nothing.
    func begin() -> [StepCall] {
        var copy = self
        return copy.go()
    }

    /// Decides as often as there is more to begin, and applies it.
    mutating func go() -> [StepCall] {
        var calls: [StepCall] = []
        while true {
            let decision = decide { pipeline.advance(snapshot, outputs: $0) }
            apply(decision)
            calls += decision.calls
            guard decision.isDue else { return calls }
        }
    }

    /// Tells how calls ended, and goes on.
    @discardableResult
    mutating func tell(_ ends: [(String, StepEnd.Outcome)]) -> [StepCall] {
        note(ends)
        return go()
    }

    /// Keeps how calls ended, without telling.
    mutating func note(_ ends: [(String, StepEnd.Outcome)]) {
        for (path, outcome) in ends {
            if case .completed(let text) = outcome { texts[path] = text }
            snapshot.ends.append(StepEnd(path: path, jobID: snapshot.steps[path]?.jobID, outcome: outcome))
        }
    }

    mutating func tell(_ path: String, _ text: String) -> [StepCall] { tell([(path, .completed(text: text))]) }
    mutating func fail(_ path: String, _ message: String = "no") -> [StepCall] { tell([(path, .failed(message: message))]) }

    /// Tries again what failed.
    mutating func retry() -> NextSteps {
        let decision = decide { pipeline.retry(snapshot, outputs: $0) }
        applyEnds()
        for path in decision.forgotten {
            snapshot.steps[path] = nil
            texts[path] = nil
        }
        for path in decision.revived { snapshot.steps[path]?.state = .running }
        end = nil
        snapshot.state = .running
        apply(decision)
        return decision
    }

    /// Asks until nothing is needed any more.
    private func decide(_ ask: ([String: String]) -> AdvanceResult) -> NextSteps {
        var outputs: [String: String] = [:]
        while true {
            switch ask(outputs) {
            case .decided(let decision): return decision
            case .needs(let paths):
                precondition(!paths.isEmpty)
                for path in paths {
                    guard let text = texts[path], outputs[path] == nil else { preconditionFailure("nobody has \(path)") }
                    outputs[path] = text
                }
            }
        }
    }

    /// The store keeps what a decision was told before all else that it says.
    private mutating func applyEnds() {
        for end in snapshot.ends {
            var state = StepState.failed
            if case .completed = end.outcome { state = .completed }
            snapshot.steps[end.path] = StepRecord(path: end.path, jobID: end.jobID, state: state)
        }
        snapshot.ends = []
    }

    private mutating func apply(_ decision: NextSteps) {
        applyEnds()
        snapshot.version += 1
        for call in decision.calls {
            #expect(snapshot.steps[call.path] == nil, "\(call.path) begins twice")
            snapshot.steps[call.path] = StepRecord(path: call.path, jobID: Int64(begun.count + 1), state: .running)
            begun.append(call.path)
        }
        if let end = decision.end {
            self.end = end
            snapshot.state = end.state
        }
    }
}

/// Pipelines as texts, for tests.
enum Texts {
    /// Every fault of a text, as it is told.
    static func faults(_ yaml: String) -> [String] { Pipeline.check(yaml: yaml, path: "p.yaml").map(\.description) }

    /// A pipeline with an input and one step whose prompt this is.
    static func prompt(_ prompt: String) -> String {
        let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false).map { "      \($0)" }.joined(separator: "\n")
        return "inputs:\n  task: {}\nsteps:\n  a:\n    prompt: |\n\(lines)\n"
    }
}
