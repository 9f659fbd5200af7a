import JobModel

/// What a step asks a model. All texts but the role's name are templates or paths.
public struct Call: Sendable, Equatable {
    /// Its role, by name; nil for none.
    public var role: String?
    /// The user's message: a template.
    public var prompt: String
    /// The system text, in place of the role's: a template.
    public var system: String?
    /// `provider/model`, in place of the role's: a template over the inputs alone.
    public var model: String?
    /// 0 to 2, in place of the role's.
    public var temperature: Double?
    /// The most tokens of an answer, in place of the role's.
    public var maxTokens: Int?
    /// Other parameters of the model's API, in place of the role's of the same names.
    public var parameters: [JSONValue.Member] = []
    /// A call each for the items of a list.
    public var foreach: Foreach?
    /// Several calls in place of one.
    public var ensemble: Ensemble?
    /// What answers must be; nil for texts.
    public var schema: SchemaSource?
    /// Tells several answers to one question apart, from 1.
    public var sample: Int?
    /// How many memories are put before the prompt.
    public var recall: Int?
    /// Where memories are looked for, and answers are remembered.
    public var namespaces: [String] = []
    /// Whether answers are remembered.
    public var remembers = false
    /// How long a call may take, in ms.
    public var timeout: Int64?
    /// The most that the attempts of a call may cost together, in US dollars.
    public var budget: Double?
    /// Whether a cached answer may serve.
    public var usesCache = true
    /// How long an answer may serve from the cache, in ms.
    public var cacheTTL: Int64?
    /// Attempts that a call may take.
    public var maxAttempts: Int?

    /// Makes a call.
    public init(role: String? = nil, prompt: String) {
        self.role = role
        self.prompt = prompt
    }
}
