import JobModel

/// How a step, or a judge, asks: its own words, and those of its role where it has none.
struct QuestionPlan: Sendable {
    var prompt: PromptTemplate
    var system: PromptTemplate?
    var model: PromptTemplate?
    var temperature: Double?
    var maxTokens: Int?
    var parameters: [JSONValue.Member]
}
