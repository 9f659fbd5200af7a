import AgentQueueModel

/// The steps of a pipeline, checked, in an order in which each stands behind those it needs.
struct Graph: Sendable {
    var steps: [StepPlan] = []
    /// What a run's output is; nil is that of the steps that none needs.
    var output: PromptTemplate?
    /// The target of calls whose step and role name none.
    var model: PromptTemplate?
    /// What inputs that are amounts may be.
    var amounts: [String: ClosedRange<Int>] = [:]
}

/// A step, checked: its templates and conditions read, its needs known.
struct StepPlan: Sendable {
    /// What a step does.
    indirect enum Work: Sendable {
        case call(CallPlan)
        case group(GroupPlan)
    }

    var name: String
    /// The steps beside it that it waits for: those it names, and those whose outputs it uses.
    var needs: [String]
    var when: Condition?
    /// Whether its condition is one of each item.
    var isWhenOfItems = false
    var onFailure: FailurePolicy
    var work: Work
}

/// A group, checked: its steps in an order in which each stands behind those it needs.
struct GroupPlan: Sendable {
    var steps: [StepPlan]
    /// How often it is gone through; nil is once.
    var times: Amount?
    var until: Condition?
    var improves: Reference?
    var patience: Amount
}

/// A step that asks a model, checked.
struct CallPlan: Sendable {
    /// What it is besides templates and paths.
    var call: Call
    var question: QuestionPlan
    var foreach: ForeachPlan?
    var ensemble: EnsemblePlan?

    /// Whether its outputs are JSON.
    var isParsed: Bool { call.schema != nil }
}

/// How a step, or a judge, asks: its own words, and those of its role where it has none.
struct QuestionPlan: Sendable {
    var prompt: PromptTemplate
    var system: PromptTemplate?
    var model: PromptTemplate?
    var temperature: Double?
    var maxTokens: Int?
    var parameters: [JSONValue.Member]
}

/// What a step makes a call each for, checked.
struct ForeachPlan: Sendable {
    var reference: Reference
    var way: Foreach.Way
}

/// Several calls in place of one, checked.
struct EnsemblePlan: Sendable {
    /// What it calls.
    enum Targets: Sendable {
        case own
        case names([PromptTemplate])
        case path(Reference)
    }

    /// How several answers become one output.
    enum Combination: Sendable {
        case all
        case vote(on: [Expression.Step])
        case judge(QuestionPlan)
    }

    var targets: Targets
    var samples: Amount
    var combine: Combination
    var confidence: Double?

    var judge: QuestionPlan? { if case .judge(let question) = combine { question } else { nil } }
}

extension QuestionPlan {
    /// All that it names.
    var references: [Reference] { prompt.references + (system?.references ?? []) + (model?.references ?? []) }
}

extension EnsemblePlan {
    /// All that it names.
    var references: [Reference] { (judge?.references ?? []).filter { $0.root != "answers" } }
}

extension Call {
    /// What it says itself of how it asks.
    var asking: Role {
        Role("", system: system, model: model, temperature: temperature, maxTokens: maxTokens, parameters: parameters)
    }
}

extension Judge {
    /// What it says itself of how it asks.
    var asking: Role {
        Role("", system: system, model: model, temperature: temperature, maxTokens: maxTokens, parameters: parameters)
    }
}
