/// What a failure is about: who must be left alone after a rate limit, a refused key or an empty account.
public enum FailureScope: String, Sendable, Codable {
    /// One model of the provider.
    case target
    /// Everything at the provider.
    case provider
}
