import JobModel

/// How a provider, or one of its targets, stands: what all processes know of it together.
public struct ProviderState: Sendable, Equatable {
    /// A provider's name, or `provider/model`.
    public var name: String
    /// Whether it is a target.
    public var isTarget: Bool
    /// Until when it is not called at all (wall clock, ms); nil if it is.
    public var pausedUntil: Int64?
    /// Why it is paused; `rate_limited` and `overloaded` where it asked to wait. Nil if it is not.
    public var pauseClass: FailureClass?
    /// Why, in a sentence; nil if it is not paused.
    public var pauseReason: String?
    /// Whether one call at a time finds out if it works again.
    public var isOnTrial: Bool
    /// Calls under way, as far as they are counted: those that a limit, a breaker or a fallback concerns.
    public var running: Int
    /// Its limit of calls a minute.
    public var requests: Level?
    /// Its limit of tokens a minute, in and out together.
    public var tokens: Level?
    /// Its limit of tokens a minute, in.
    public var inputTokens: Level?
    /// Its limit of tokens a minute, out.
    public var outputTokens: Level?
    /// Where its breaker stands.
    public var breaker: Breaker
    /// US dollars paid, or maybe paid, since midnight UTC.
    public var spentToday: Double
    /// US dollars set aside for calls under way.
    public var reservedUSD: Double
    /// Its latest failure.
    public var lastError: LastError?

    /// A limit a minute, and what is left of it.
    public struct Level: Sendable, Equatable {
        /// What a minute holds.
        public var capacity: Double
        /// What is left now; below 0 is debt.
        public var level: Double
        /// Whether it was learnt from the provider, by its word or its refusals, and not configured.
        public var isLearnt: Bool
    }

    /// Where a breaker stands.
    public enum Breaker: Sendable, Equatable {
        /// Calls go through.
        case closed
        /// None does before that time (wall clock, ms); then one.
        case open(until: Int64)
        /// One call finds out whether it works again.
        case halfOpen
    }

    /// A failure.
    public struct LastError: Sendable, Equatable {
        /// What kind.
        public var failure: FailureClass
        /// One sentence.
        public var message: String
        /// Wall clock, ms.
        public var at: Int64
    }
}
