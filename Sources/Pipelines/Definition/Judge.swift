import JobModel

/// The call that chooses between the answers of an ensemble. Its templates see `answers`, a list of objects with `number`, `output` and
/// `target`, besides what those of its step see.
public struct Judge: Sendable, Equatable {
    /// Its role; nil for none.
    public var role: String?
    /// The system text, in place of the role's.
    public var system: String?
    /// What it is asked: a template.
    public var prompt: String
    /// `provider/model`, in place of the role's: a template over the inputs alone.
    public var model: String?
    /// 0 to 2.
    public var temperature: Double?
    /// The most tokens of its answer.
    public var maxTokens: Int?
    /// Other parameters of the model's API.
    public var parameters: [JSONValue.Member]

    /// Makes a judge.
    public init(
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
