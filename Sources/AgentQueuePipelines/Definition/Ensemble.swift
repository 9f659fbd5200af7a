import AgentQueueModel

/// Several calls instead of one: to several targets, or several to each.
public struct Ensemble: Sendable, Equatable {
    /// The targets.
    package var targets: Targets
    /// The number of calls to each target.
    package var samples: Amount
    /// How the answers become one output.
    package var combine: Combination
    /// The share of votes, or the judge's confidence, below which the step fails; nil for none.
    package var confidence: Double?

    /// The targets of an ensemble.
    public enum Targets: Sendable, Equatable {
        /// The step's own target.
        case own
        /// These targets: templates that may use inputs.
        case names([String])
        /// The targets in a list, which is an input such as `inputs.targets`.
        case path(String)
    }

    /// How several answers become one output.
    public enum Combination: Sendable, Equatable {
        /// A list of all answers, with null for calls that failed.
        case all
        /// The most frequent answer, compared by a field such as `verdict`, or as a whole.
        case vote(on: String?)
        /// The answer that a further call chooses.
        case judge(Judge)
    }

    /// The most calls in an ensemble.
    package static let maxMembers = 100

    /// Makes an ensemble.
    public init(_ targets: Targets = .own, samples: Amount = 1, combine: Combination, confidence: Double? = nil) {
        self.targets = targets
        self.samples = samples
        self.combine = combine
        self.confidence = confidence
    }
}

/// The call that chooses between the answers of an ensemble. Its templates can use `answers`, a list of objects with `number`, `output` and
/// `target`, and everything that its step can.
public struct Judge: Sendable, Equatable {
    /// Its role; nil for none.
    package var role: String?
    /// The prompt: a template.
    package var prompt: String
    /// What it says itself, instead of its role.
    package var asking: Role

    /// Makes a judge.
    public init(
        role: String? = nil, system: String? = nil, prompt: String, model: String? = nil, temperature: Double? = nil,
        maxTokens: Int? = nil, parameters: [JSONValue.Member] = []
    ) {
        self.init(
            role: role, prompt: prompt,
            asking: Role("", system: system, model: model, temperature: temperature, maxTokens: maxTokens, parameters: parameters))
    }

    package init(role: String?, prompt: String, asking: Role) {
        self.role = role
        self.prompt = prompt
        self.asking = asking
    }

    /// The JSON Schema of its answer.
    static func schema(of count: Int) -> JSONValue {
        [
            "type": "object",
            "properties": [
                "choice": [
                    "type": "integer", "minimum": 1, "maximum": .integer(Int64(count)), "description": "The number of the best answer.",
                ],
                // Tenths, because a server that follows the schema while it writes cannot enforce bounds of a number, but can choose from a
                // list.
                "confidence": [
                    "type": "number", "enum": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
                    "description": "How sure you are, from 0 to 1.",
                ],
                "reason": ["type": "string", "maxLength": 300, "description": "Why, in a sentence."],
            ],
            "required": ["choice", "confidence", "reason"],
            "additionalProperties": false,
        ]
    }
}
