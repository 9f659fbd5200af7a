/// `providers.<name>.batch:` — the provider's batch API, for jobs that use it.
public struct BatchSettings: Equatable, Sendable {
    /// How long a batch takes jobs before it is sent; 0 sends what is there. 0 to 1 h; nil is ``usual``.
    public var linger: Duration?
    /// How often the provider is asked how a batch stands. 1 s to 1 h; nil is ``usual``.
    public var poll: Duration?

    /// What holds where nothing is said: 60 s.
    public static let usual = Duration.seconds(60)

    /// Nothing said.
    public init() {}
}
