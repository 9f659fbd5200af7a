import AgentQueueModel

/// Several calls in place of one: to several targets, or several to each.
package struct Ensemble: Sendable, Equatable {
    /// What is called.
    package var targets: Targets
    /// How many calls there are to each target.
    package var samples: Amount
    /// How their answers become one output.
    package var combine: Combination
    /// The share of the votes, or the judge's confidence, below which the step fails; nil for none.
    package var confidence: Double?

    /// What an ensemble calls.
    package enum Targets: Sendable, Equatable {
        /// The step's own target.
        case own
        /// These, templates over the inputs alone.
        case names([String])
        /// Those of a list: an input, such as `inputs.targets`.
        case path(String)
    }

    /// How several answers become one output.
    package enum Combination: Sendable, Equatable {
        /// A list of all of them, null in the places of those that failed.
        case all
        /// The one that most gave, compared by a field of it, such as `verdict`, or else whole.
        case vote(on: String?)
        /// The one that a further call chooses.
        case judge(Judge)
    }

    /// How many members an ensemble may have.
    package static let maxMembers = 100

    /// Makes one.
    package init(_ targets: Targets = .own, samples: Amount = 1, combine: Combination, confidence: Double? = nil) {
        self.targets = targets
        self.samples = samples
        self.combine = combine
        self.confidence = confidence
    }
}

/// The call that chooses between the answers of an ensemble. Its templates see `answers`, a list of objects with `number`, `output` and
/// `target`, besides what those of its step see.
package struct Judge: Sendable, Equatable {
    /// Its role; nil for none.
    package var role: String?
    /// The system text, in place of the role's.
    package var system: String?
    /// What it is asked: a template.
    package var prompt: String
    /// `provider/model`, in place of the role's: a template over the inputs alone.
    package var model: String?
    /// 0 to 2.
    package var temperature: Double?
    /// The most tokens of its answer.
    package var maxTokens: Int?
    /// Other parameters of the model's API.
    package var parameters: [JSONValue.Member]

    /// Makes a judge.
    package init(
        role: String? = nil, system: String? = nil, prompt: String, model: String? = nil, temperature: Double? = nil,
        maxTokens: Int? = nil, parameters: [JSONValue.Member] = []
    ) {
        self.role = role
        self.system = system
        self.prompt = prompt
        self.model = model
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.parameters = parameters
    }

    /// What it must answer.
    static func schema(of count: Int) -> JSONValue {
        [
            "type": "object",
            "properties": [
                "choice": [
                    "type": "integer", "minimum": 1, "maximum": .integer(Int64(count)), "description": "The number of the best answer.",
                ],
                // Tenths: a server that writes by the schema cannot hold a number to its bounds, but to these.
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
