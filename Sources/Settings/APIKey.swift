/// What looking for a provider's key came to.
public enum APIKey: Equatable, Sendable {
    /// The provider names no key: a local server, or a program that signs in by itself.
    case notNeeded
    /// The key.
    case found(Secret)
    /// There should be a key and there is none that may be used; the reason says what to do, in one clause.
    case missing(reason: String)
}
