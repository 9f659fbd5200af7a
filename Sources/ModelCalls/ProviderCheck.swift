/// Whether a model answers, found out by asking it.
public struct ProviderCheck: Sendable, Equatable {
    /// The provider's name in the configuration.
    public var provider: String
    /// The model's name at that provider.
    public var model: String
    /// Why it does not answer; nil where it does.
    public var failure: ModelFailure?
    /// The models that the server lists; nil where it lists none.
    public var models: [String]?
    /// How long finding out took, in ms.
    public var milliseconds: Int64

    /// Makes the result of a check; by default, of one that found nothing wrong.
    public init(provider: String, model: String, failure: ModelFailure? = nil, models: [String]? = nil, milliseconds: Int64 = 0) {
        self.provider = provider
        self.model = model
        self.failure = failure
        self.models = models
        self.milliseconds = milliseconds
    }

    /// Whether it answers.
    public var isAvailable: Bool { failure == nil }
    /// Why it does not, as a sentence.
    public var reason: String? { failure?.message }
}
