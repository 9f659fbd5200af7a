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
