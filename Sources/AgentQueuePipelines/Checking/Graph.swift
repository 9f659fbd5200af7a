import AgentQueueModel

/// The checked steps of a pipeline, each after the steps that it needs.
struct Graph: Sendable {
    var steps: [StepPlan] = []
    /// The run's output; nil for that of the steps that no other step needs.
    var output: PromptTemplate?
    /// The target of calls whose step and role name none.
    var model: PromptTemplate?
    /// The range of each input that is used as an amount.
    var amounts: [String: ClosedRange<Int>] = [:]
}

/// A checked step, with its templates and conditions parsed and its needs known.
struct StepPlan: Sendable {
    /// What a step does.
    indirect enum Work: Sendable {
        case call(CallPlan)
        case group(GroupPlan)
    }

    var name: String
    /// The steps at its level that it waits for: those it names, and those whose outputs it uses.
    var needs: [String]
    var when: Condition?
    /// Whether its condition is evaluated for each item.
    var isWhenOfItems = false
    var onFailure: FailurePolicy
    var work: Work
}

/// A checked group, with its steps each after those that it needs.
struct GroupPlan: Sendable {
    var steps: [StepPlan]
    /// How many rounds it has at most; nil for one.
    var times: Amount?
    var until: Condition?
    var improves: Reference?
    var patience: Amount
}

/// A checked step that calls a model.
struct CallPlan: Sendable {
    /// Everything besides templates and paths.
    var call: Call
    var question: QuestionPlan
    var foreach: ForeachPlan?
    var ensemble: EnsemblePlan?

    /// Whether its outputs are JSON.
    var isParsed: Bool { call.schema != nil }
}

/// How a step or a judge asks: its own texts and options, with those of its role where it has none.
struct QuestionPlan: Sendable {
    var prompt: PromptTemplate
    var system: PromptTemplate?
    var model: PromptTemplate?
    /// What it asks for besides its texts and its model.
    var options: Role
}

/// The checked list that a step makes one call for each item of.
struct ForeachPlan: Sendable {
    var reference: Reference
    var way: Foreach.Way
}

/// A checked ensemble.
struct EnsemblePlan: Sendable {
    /// What is called.
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
    /// Everything that it names.
    var references: [Reference] { prompt.references + (system?.references ?? []) + (model?.references ?? []) }
}

extension EnsemblePlan {
    /// Everything that it names.
    var references: [Reference] { (judge?.references ?? []).filter { $0.root != "answers" } }
}

extension Call {
    /// How it asks, according to itself.
    var asking: Role { Role("", job) }
}
