import JobModel

/// Which jobs the answer to a near prompt may serve.
public struct SemanticPolicy: Sendable, Equatable {
    /// What embeds prompts.
    public var model: Target
    /// What is put before each, such as `query: `.
    public var prefix: String
    /// The least cosine that counts as near, 0 to 1.
    public var threshold: Double
    /// Whether it holds for a target that ``exceptions`` does not name.
    public var isUsual: Bool
    /// Whether it holds for a target, `provider/model`.
    public var exceptions: [String: Bool]

    /// Makes one.
    public init(model: Target, prefix: String, threshold: Double, isUsual: Bool, exceptions: [String: Bool]) {
        self.model = model
        self.prefix = prefix
        self.threshold = threshold
        self.isUsual = isUsual
        self.exceptions = exceptions
    }

    /// Whether near prompts may answer a target's jobs.
    func holds(for target: Target) -> Bool { exceptions[target.description] ?? isUsual }
}
