import AgentQueueModel

/// One walk through a pipeline, following the records of a run. The same records and outputs always give the same result, however the
/// records came about.
final class Evaluation {
    let graph: Graph
    let inputs: JSONValue
    /// The target of calls whose step, role and mode name none; nil if the run names none either.
    let model: String?
    let calls: [String: KnownCall]
    let outputs: [String: String]
    /// Steps and rounds that have started: `code`, `refine/2/`, `refine/2/review`.
    let begun: Set<String>
    /// Whether to go on after a failure that ends the run, in order to find all failures.
    let isExhaustive: Bool
    /// Outputs that are needed and not at hand, in order.
    private(set) var missing: [String] = []
    private var isMissing: Set<String> = []
    /// The calls to start.
    var wanted: [StepCall] = []
    /// Whether there are more calls to start than ``wanted`` has.
    var isDue = false
    /// Calls whose answers cannot be used, by path.
    var unusable: Set<String> = []
    var results: [String: UnitResult] = [:]
    /// The levels that were walked through, by the prefix of their steps' paths.
    private(set) var scopes: [String: StepScope] = [:]

    init(_ graph: Graph, _ run: RunSnapshot, calls: [String: KnownCall], outputs: [String: String], isExhaustive: Bool = false) {
        self.graph = graph
        inputs = run.inputs
        model = run.options.model
        self.calls = calls
        self.outputs = outputs
        self.isExhaustive = isExhaustive
        begun = Self.begun(calls.keys)
    }

    /// Everything that must have started for these calls to have started.
    private static func begun(_ paths: some Sequence<String>) -> Set<String> {
        var begun: Set<String> = []
        for path in paths {
            let utf8 = path.utf8
            for slash in utf8.indices where utf8[slash] == UInt8(ascii: "/") { begun.insert(String(path[...slash])) }
            begun.insert(String(Substring(utf8.prefix { $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "~") })))
        }
        return begun
    }

    /// The text of a completed call; nil if it is not at hand, which is noted.
    func text(of path: String) -> String? {
        if let text = calls[path]?.text ?? outputs[path] { return text }
        if isMissing.insert(path).inserted { missing.append(path) }
        return nil
    }

    /// An amount's number, or that of its input. The bounds were checked when the run started.
    func number(_ amount: Amount, in bounds: ClosedRange<Int>) -> Int {
        switch amount {
        case .number(let number): number
        case .input(let name): min(max(inputs[name]?.int ?? bounds.lowerBound, bounds.lowerBound), bounds.upperBound)
        }
    }

    // MARK: Levels

    /// The state of the steps at one level.
    enum Outcome {
        case waiting
        case complete
        case failed(String)
    }

    /// Goes through the steps in order, and starts those that can start.
    func walk(_ scope: StepScope) -> Outcome {
        scopes[scope.prefix] = scope
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

/// The steps at one level of a run: those of the pipeline, or of one round of a group.
final class StepScope {
    /// The prefix of their paths: empty, or `refine/2/`.
    let prefix: String
    let steps: [StepPlan]
    /// The level that contains the group.
    let parent: StepScope?
    /// The round, from 1; nil for the steps of the pipeline.
    let round: Int?
    /// The previous round.
    let previous: StepScope?
    var statuses: [String: StepStatus] = [:]
    /// The units of steps that call a model, in order.
    var units: [String: [Unit]] = [:]
    /// The finished rounds of groups, in order.
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

/// The state of a step.
enum StepStatus {
    /// It has not ended, or not started.
    case waiting
    /// It has succeeded.
    case done
    /// Its condition does not hold, or it failed and may fail. Its output is null.
    case skipped
    /// It failed, and this is its output.
    case fallback(JSONValue)

    var isWaiting: Bool { if case .waiting = self { true } else { false } }
}

/// Why a step cannot be evaluated to its end now.
enum Suspension: Error {
    /// It depends on outputs that are not at hand.
    case missing
    /// It failed. Its policy decides what follows.
    case failed(String)
}
