/// A step of a pipeline: a call, or a group of steps.
public struct Step: Sendable, Equatable {
    /// Its name: letters, digits, `_` and `-`, the first a letter or `_`.
    public var name: String
    /// Steps beside it that it waits for, besides those whose outputs it uses.
    public var needs: [String]
    /// The condition without which it is skipped.
    public var when: String?
    /// What becomes of the run where it fails.
    public var onFailure: FailurePolicy
    /// What it does.
    public var work: Work

    /// What a step does.
    public enum Work: Sendable, Equatable {
        /// It asks a model.
        case call(Call)
        /// It goes through steps of its own, once or more.
        case group([Step], Repetition?)
    }

    /// Makes a step.
    public init(_ name: String, needs: [String] = [], when: String? = nil, onFailure: FailurePolicy = .fail, work: Work) {
        self.name = name
        self.needs = needs
        self.when = when
        self.onFailure = onFailure
        self.work = work
    }

    /// Makes a step that asks a model; everything else that a call may have can be set on ``Call``.
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

    /// The step with its call changed; a group stays as it is.
    public func with(_ change: (inout Call) -> Void) -> Step {
        guard case .call(var call) = work else { return self }
        change(&call)
        var step = self
        step.work = .call(call)
        return step
    }
}
