/// Steps that are gone through together, once or more: the part of a pipeline written in Swift that is a ``Step`` of them.
public struct Group: Sendable, Equatable {
    /// It as a step.
    public var step: Step

    /// Makes a group.
    public init(
        _ name: String, repeat repetition: Repetition? = nil, needs: [String] = [], when: String? = nil,
        onFailure: FailurePolicy = .fail, @StepsBuilder steps: () -> [Step]
    ) {
        step = Step(name, needs: needs, when: when, onFailure: onFailure, work: .group(steps(), repetition))
    }
}
