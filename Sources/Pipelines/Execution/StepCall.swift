import JobModel

/// A call that a pipeline wants made: its prompt written out, nothing checked yet.
public struct StepCall: Sendable, Equatable {
    /// Its place in the run.
    public var path: String
    /// The user's message.
    public var prompt: String
    /// The system text; empty for none.
    public var system = ""
    /// `provider/model`; nil is the run's, or else the configuration's default.
    public var model: String?
    /// 0 to 2.
    public var temperature: Double?
    /// The most tokens of an answer.
    public var maxTokens: Int?
    /// Other parameters of the model's API.
    public var parameters: [JSONValue.Member] = []
    /// A JSON Schema that the answer must fit.
    public var schema: JSONValue?
    /// Tells several answers to one question apart, from 1.
    public var sample: Int?
    /// How many memories are put before the prompt.
    public var recall: Int?
    /// Where memories are looked for, and the answer is remembered.
    public var namespaces: [String] = []
    /// Whether the answer is remembered.
    public var remembers = false
    /// How long the call may take, in ms.
    public var timeout: Int64?
    /// The most that its attempts may cost together, in US dollars.
    public var budget: Double?
    /// Whether a cached answer may serve.
    public var usesCache = true
    /// How long its answer may serve from the cache, in ms.
    public var cacheTTL: Int64?
    /// Attempts it may take.
    public var maxAttempts: Int?

    /// Makes a call.
    public init(path: String, prompt: String) {
        self.path = path
        self.prompt = prompt
    }
}
