import AgentQueueModel

/// One walk over a pipeline along what is on record of a run. Decides nothing by itself that the records do not say: the same records and
/// outputs, the same result, however the records came about.
final class Evaluation {
    let graph: Graph
    let inputs: JSONValue
    /// The target of calls whose step, role and mode name none; nil where the run says nothing either.
    let model: String?
    let calls: [String: KnownCall]
    let outputs: [String: String]
    /// Steps and rounds that have begun: `code`, `refine/2/`, `refine/2/review`.
    let begun: Set<String>
    /// Whether steps are gone through although others have failed that the run cannot do without: to find all that failed.
    let isExhaustive: Bool
    /// Outputs that are asked for, in order.
    private(set) var missing: [String] = []
    private var isMissing: Set<String> = []
    /// What is to begin.
    var wanted: [StepCall] = []
    /// Whether there is more to begin than is ``wanted``.
    var isDue = false
    /// Calls that were answered, but not so that the answers could serve, by path.
    var useless: Set<String> = []
    var results: [String: UnitResult] = [:]

    init(_ graph: Graph, _ run: RunSnapshot, calls: [String: KnownCall], outputs: [String: String], isExhaustive: Bool = false) {
        self.graph = graph
        inputs = run.inputs
        model = RunOptions(run.options).model
        self.calls = calls
        self.outputs = outputs
        self.isExhaustive = isExhaustive
        begun = Self.begun(calls.keys)
    }

    /// All that a call's having begun says has begun.
    private static func begun(_ paths: some Sequence<String>) -> Set<String> {
        var begun: Set<String> = []
        for path in paths {
            let utf8 = path.utf8
            for slash in utf8.indices where utf8[slash] == UInt8(ascii: "/") { begun.insert(String(path[...slash])) }
            begun.insert(String(Substring(utf8.prefix { $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "~") })))
        }
        return begun
    }

    /// The text of a call that completed; nil where it is not at hand, which is noted.
    func text(of path: String) -> String? {
        if let text = calls[path]?.text ?? outputs[path] { return text }
        if isMissing.insert(path).inserted { missing.append(path) }
        return nil
    }

    /// A number, or the input's, within bounds that were checked when the run began.
    func number(_ amount: Amount, in bounds: ClosedRange<Int>) -> Int {
        switch amount {
        case .number(let number): number
        case .input(let name): min(max(inputs[name]?.int ?? bounds.lowerBound, bounds.lowerBound), bounds.upperBound)
        }
    }

    // MARK: Steps beside each other

    /// How steps beside each other stand.
    enum Outcome {
        case waiting
        case complete
        case failed(String)
    }

    /// Goes through steps in order, and begins what can begin.
    func walk(_ scope: StepScope) -> Outcome {
        var failure: String?
        for step in scope.steps {
            guard step.needs.allSatisfy({ scope.statuses[$0]?.isWaiting == false }) else {
                scope.statuses[step.name] = .waiting
                continue
            }
            do throws(Suspension) {
                scope.statuses[step.name] = try status(of: step, in: scope)
            } catch {
                switch (error, step.onFailure) {
                case (.missing, _): scope.statuses[step.name] = .waiting
                case (.failed, .skip): scope.statuses[step.name] = .skipped
                case (.failed, .fallback(let value)): scope.statuses[step.name] = .fallback(value)
                case (.failed(let reason), .fail):
                    guard isExhaustive else { return .failed(reason) }
                    failure = failure ?? reason
                    scope.statuses[step.name] = .waiting
                }
            }
        }
        if let failure { return .failed(failure) }
        return scope.statuses.values.contains(where: \.isWaiting) ? .waiting : .complete
    }

    private func status(of step: StepPlan, in scope: StepScope) throws(Suspension) -> StepStatus {
        let path = scope.prefix + step.name
        if let when = step.when, !step.isWhenOfItems, !begun.contains(path), !begun.contains(path + "/1/"),
            !(try holds(when, at: EvaluationContext(scope: scope)))
        {
            return .skipped
        }
        switch step.work {
        case .call(let call): return try status(of: step, call, in: scope)
        case .group(let group): return try status(of: step, group, in: scope)
        }
    }

    func holds(_ condition: Condition, at place: EvaluationContext) throws(Suspension) -> Bool {
        condition.expression.holds(for: try values(condition.references, at: place))
    }
}

/// Steps beside each other, as they stand in a run: those of the pipeline, or of one round of a group.
final class StepScope {
    /// What their paths begin with: empty, or `refine/2/`.
    let prefix: String
    let steps: [StepPlan]
    /// The steps around the group.
    let parent: StepScope?
    /// The round, from 1; nil for those of the pipeline.
    let round: Int?
    /// The round before.
    let previous: StepScope?
    var statuses: [String: StepStatus] = [:]
    /// What makes the outputs of steps that ask a model, in order.
    var units: [String: [Unit]] = [:]
    /// The rounds of groups that have ended, in order.
    var rounds: [String: [StepScope]] = [:]

    init(prefix: String, steps: [StepPlan], parent: StepScope? = nil, round: Int? = nil, previous: StepScope? = nil) {
        self.prefix = prefix
        self.steps = steps
        self.parent = parent
        self.round = round
        self.previous = previous
    }

    func step(named name: String) -> StepPlan? { steps.first { $0.name == name } }
}

/// How a step stands.
enum StepStatus {
    /// It has not ended, or not begun.
    case waiting
    /// It has ended well.
    case done
    /// Its condition does not hold, or it failed and may: its output is null.
    case skipped
    /// It failed, and this is its output.
    case fallback(JSONValue)

    var isWaiting: Bool { if case .waiting = self { true } else { false } }
}

/// Why a step cannot be gone through to its end now.
enum Suspension: Error {
    /// It depends on outputs that are not at hand.
    case missing
    /// It failed, and what that means is its policy's.
    case failed(String)
}
