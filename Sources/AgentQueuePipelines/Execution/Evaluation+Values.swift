import AgentQueueModel

/// The values of names.
extension Evaluation {
    /// The fields of a value that are used; nil for all of it.
    private typealias Fields = Set<String>?

    /// An object with a member for each name that the references begin with.
    /// - Throws: `Suspension.missing` where an output is not at hand. Which one is noted in ``missing``.
    func values(_ references: [Reference], at place: EvaluationContext) throws(Suspension) -> JSONValue {
        guard let values = knownValues(references, at: place) else { throw .missing }
        return values
    }

    /// As ``values(_:at:)``, but nil where an output is not at hand: nothing else can go wrong.
    func knownValues(_ references: [Reference], at place: EvaluationContext) -> JSONValue? {
        var roots: [(name: String, fields: Fields)] = []
        for reference in references {
            if let known = roots.firstIndex(where: { $0.name == reference.root }) {
                guard let fields = roots[known].fields else { continue }
                roots[known].fields = reference.field.map { fields.union([$0]) }
            } else {
                roots.append((reference.root, reference.field.map { [$0] }))
            }
        }
        let before = missing.count
        let members = roots.map { JSONValue.Member($0.name, value(of: $0.name, $0.fields, at: place)) }
        guard missing.count == before else { return nil }
        return .object(members)
    }

    /// Null if an output is missing, which is noted.
    private func value(of name: String, _ fields: Fields, at place: EvaluationContext) -> JSONValue {
        switch name {
        case "inputs": return inputs
        case "item": return place.item ?? .null
        case "number": return .integer(Int64(place.number))
        case "count": return .integer(Int64(place.count))
        case "answers": return place.answers ?? .null
        case "round": return place.group?.round.map { .integer(Int64($0)) } ?? .null
        case "previous": return place.group?.previous.map { object(of: $0, fields) } ?? .null
        default:
            var scope: StepScope? = place.scope
            while let current = scope {
                if let step = current.step(named: name) { return value(of: step, in: current, fields) }
                scope = current.parent
            }
            return .null
        }
    }

    /// The outputs of steps at one level.
    private func object(of scope: StepScope, _ fields: Fields) -> JSONValue {
        let used = scope.steps.filter { fields?.contains($0.name) != false }
        return .object(used.map { .init($0.name, value(of: $0, in: scope, nil)) })
    }

    /// A step's output.
    func value(of step: StepPlan, in scope: StepScope) -> JSONValue { value(of: step, in: scope, nil) }

    private func value(of step: StepPlan, in scope: StepScope, _ fields: Fields) -> JSONValue {
        switch scope.statuses[step.name] {
        case nil, .waiting, .skipped: return .null
        case .fallback(let value): return value
        case .done: break
        }
        switch step.work {
        case .group(let group):
            return chosenRound(of: group, scope.rounds[step.name] ?? []).map { object(of: $0, fields) } ?? .null
        case .call(let call):
            let units = scope.units[step.name] ?? []
            guard call.foreach != nil else { return units.first.flatMap { output(of: $0, call, step.onFailure) } ?? .null }
            return .array(units.compactMap { output(of: $0, call, step.onFailure) })
        }
    }

    /// The output of a unit; nil if it is left out.
    private func output(of unit: Unit, _ call: CallPlan, _ policy: FailurePolicy) -> JSONValue? {
        switch (result(of: unit, call), policy) {
        case (.value(let value)?, _): value
        case (.failed?, .fallback(let value)): value
        case (.failed?, _), (nil, _): nil
        }
    }
}

/// The place in a run at which a template or condition is evaluated.
struct EvaluationContext {
    var scope: StepScope
    var item: JSONValue?
    /// The item's number, from 1.
    var number = 0
    var count = 0
    /// The answers that a judge sees.
    var answers: JSONValue?

    /// The round of the nearest group.
    var group: StepScope? {
        var scope: StepScope? = scope
        while let current = scope, current.round == nil { scope = current.parent }
        return scope
    }
}
