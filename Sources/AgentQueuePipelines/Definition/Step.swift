import AgentQueueModel

/// A step of a pipeline: a call, or a group of steps.
public struct Step: Sendable, Equatable {
    /// Its name: letters, digits, `_` and `-`, the first a letter or `_`.
    public package(set) var name: String
    /// Steps at its level that it waits for, besides those whose outputs it uses.
    package var needs: [String]
    /// A condition; the step is skipped if it does not hold.
    package var when: String?
    /// What happens to the run if the step fails.
    package var onFailure: FailurePolicy
    /// What it does.
    package var work: Work

    /// What a step does.
    package enum Work: Sendable, Equatable {
        /// Calls a model.
        case call(Call)
        /// Runs steps of its own, once or more.
        case group([Step], Repetition?)
    }

    /// Makes a step.
    package init(_ name: String, needs: [String] = [], when: String? = nil, onFailure: FailurePolicy = .fail, work: Work) {
        self.name = name
        self.needs = needs
        self.when = when
        self.onFailure = onFailure
        self.work = work
    }

    /// Makes a step that asks a model.
    /// - Parameters:
    ///   - name: letters, digits, `_` and `-`, the first a letter or `_`.
    ///   - role: whom it asks, by name.
    ///   - needs: steps beside it that it waits for, besides those whose outputs it uses.
    ///   - foreach: one call for each item of a list.
    ///   - ensemble: several calls in place of one.
    ///   - when: the condition without which it is skipped.
    ///   - schema: what answers must be; nil for texts.
    ///   - onFailure: what becomes of the run if it fails.
    ///   - prompt: the user's message, a template.
    public init(
        _ name: String, role: String? = nil, needs: [String] = [], foreach: Foreach? = nil, ensemble: Ensemble? = nil,
        when: String? = nil, schema: SchemaSource? = nil, onFailure: FailurePolicy = .fail, prompt: String
    ) {
        var call = Call(role: role, prompt: prompt)
        call.foreach = foreach
        call.ensemble = ensemble
        call.schema = schema
        self.init(name, needs: needs, when: when, onFailure: onFailure, work: .call(call))
    }

    /// Returns the step with options of its call set that the initializer does not take. A group is returned as it is.
    ///
    /// ```swift
    /// Step("plan", prompt: "Plan {{inputs.text}}").with {
    ///     $0.timeout = .seconds(30)
    ///     $0.budget = 0.05
    ///     $0.recall = 3
    /// }
    /// ```
    /// - Parameter change: sets the options of the ``Call``.
    public func with(_ change: (inout Call) -> Void) -> Step {
        guard case .call(var call) = work else { return self }
        change(&call)
        var step = self
        step.work = .call(call)
        return step
    }
}

/// Steps that run together, once or more: a ``Step`` that consists of steps.
public struct Group: Sendable, Equatable {
    /// The group as a step.
    package var step: Step

    /// Makes a group.
    public init(
        _ name: String, repeat repetition: Repetition? = nil, needs: [String] = [], when: String? = nil,
        onFailure: FailurePolicy = .fail, @StepsBuilder steps: () -> [Step]
    ) {
        step = Step(name, needs: needs, when: when, onFailure: onFailure, work: .group(steps(), repetition))
    }
}

/// How often a group runs.
public struct Repetition: Sendable, Equatable {
    /// The most rounds.
    package var times: Amount
    /// A condition. If it holds after a round, no other follows.
    package var until: String?
    /// A path to a number that should grow. The group's outputs are those of the best round.
    package var improves: String?
    /// How many rounds in a row may bring no better number.
    package var patience: Amount

    /// The possible number of rounds.
    package static let bounds = 1...100

    /// Makes a repetition.
    public init(_ times: Amount, until: String? = nil, improves: String? = nil, patience: Amount = 1) {
        self.times = times
        self.until = until
        self.improves = improves
        self.patience = patience
    }
}

/// What happens to a run when one of its steps has failed for good.
public enum FailurePolicy: Sendable, Equatable {
    /// The group or run that contains the step fails too.
    case fail
    /// The step's output is null. Of a step with items, only the failed item is left out.
    case skip
    /// The step's output is this value. Of a step with items, it replaces only the failed item.
    case fallback(JSONValue)
}

/// Lists the steps of a pipeline one below the other.
@resultBuilder
public enum StepsBuilder {
    /// A step.
    public static func buildExpression(_ step: Step) -> [Step] { [step] }
    /// A group.
    public static func buildExpression(_ group: Group) -> [Step] { [group.step] }
    /// Steps made elsewhere.
    public static func buildExpression(_ steps: [Step]) -> [Step] { steps }
    /// One after the other.
    public static func buildBlock(_ parts: [Step]...) -> [Step] { parts.flatMap(\.self) }
    /// `if` without `else`.
    public static func buildOptional(_ part: [Step]?) -> [Step] { part ?? [] }
    /// `if`.
    public static func buildEither(first: [Step]) -> [Step] { first }
    /// `else`.
    public static func buildEither(second: [Step]) -> [Step] { second }
    /// `for`.
    public static func buildArray(_ parts: [[Step]]) -> [Step] { parts.flatMap(\.self) }
}
