/// What a job asks of a model.
public enum JobKind: String, Sendable, CaseIterable, Codable {
    /// A chat completion.
    case generate
    /// Texts to vectors.
    case embed
    /// Embed a text and remember it.
    case memorize

    /// Whether several jobs of this kind can share one provider call.
    public var isBatchable: Bool { self != .generate }
}
