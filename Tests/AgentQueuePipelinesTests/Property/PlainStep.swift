import AgentQueueModel
import AgentQueuePipelines

/// A step of a random graph, in the few words that the plain interpreter knows.
struct PlainStep {
    var name: String
    /// What its prompt names.
    var references: [String]
    var needs: [String]
    var when: PlainCondition?
    var policy: FailurePolicy
    var work: Work

    enum Work {
        case call(PlainCall)
        case group(PlainGroup)
    }

    /// The steps, outside its own, that it uses.
    var roots: Set<String> {
        var roots = Set(references.map(Self.root) + needs)
        if let when { roots.formUnion(when.reference.map { [Self.root($0)] } ?? []) }
        switch work {
        case .call(let call): if let foreach = call.foreach { roots.insert(Self.root(foreach)) }
        case .group(let group): for step in group.steps { roots.formUnion(step.roots) }
        }
        if case .group(let group) = work { roots.subtract(group.steps.map(\.name)) }
        return roots.subtracting(["inputs", "item", "number", "count", "round", "previous"])
    }

    private static func root(_ path: String) -> String { String(path.prefix { $0 != "." }) }

    /// As a pipeline has it.
    var step: Step {
        switch work {
        case .call(let call):
            var ensemble: Ensemble?
            if let plain = call.ensemble {
                ensemble = Ensemble(samples: .number(plain.samples), combine: plain.combine, confidence: plain.confidence)
            }
            return Step(
                name, needs: needs, foreach: call.foreach.map { Foreach($0) }, ensemble: ensemble, when: when?.text,
                schema: call.isJSON ? .inline(PlainCall.schema) : nil, onFailure: policy,
                prompt: "p " + references.map { "{{\($0)}}" }.joined(separator: "|"))
        case .group(let group):
            let repetition = Repetition(
                .number(group.times), until: group.until.map { "\($0.child).n >= \($0.least)" }, improves: group.improves.map { "\($0).n" },
                patience: .number(group.patience))
            return Step(name, needs: needs, when: when?.text, onFailure: policy, work: .group(group.steps.map(\.step), repetition))
        }
    }
}

/// A condition of a random graph.
enum PlainCondition {
    case differs(String, from: String)
    case more(String, than: Int)
    case round(atLeast: Int)
    case numberIsNot(Int)

    var text: String {
        switch self {
        case .differs(let path, let text): "\(path) != \"\(text)\""
        case .more(let path, let number): "\(path).n > \(number)"
        case .round(let least): "round >= \(least)"
        case .numberIsNot(let number): "number != \(number)"
        }
    }

    var reference: String? {
        switch self {
        case .differs(let path, _), .more(let path, _): path
        default: nil
        }
    }
}

/// What a step of a random graph asks.
struct PlainCall {
    var foreach: String?
    var isJSON: Bool
    var ensemble: PlainEnsemble?

    static let schema: JSONValue = [
        "type": "object", "properties": ["n": ["type": "integer"], "l": ["type": "array", "items": ["type": "string"]]],
    ]
}

/// An ensemble of a random graph.
struct PlainEnsemble {
    var samples: Int
    var kind: Kind
    var confidence: Double?

    enum Kind {
        case all, vote, judge
    }

    var combine: Ensemble.Combination {
        switch kind {
        case .all: .all
        case .vote: .vote(on: nil)
        case .judge: .judge(Judge(prompt: "j {{#answers}}{{number}}:{{output}};{{/answers}}"))
        }
    }
}

/// A group of a random graph.
struct PlainGroup {
    var steps: [PlainStep]
    var times: Int
    var until: (child: String, least: Int)?
    var improves: String?
    var patience: Int
}
