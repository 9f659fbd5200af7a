import JobModel

/// A batch at a provider, as people see it. Times are wall clock, ms.
public struct ProviderBatchSummary: Sendable, Equatable {
    /// Its number, never used again.
    public var id: Int64
    /// What its requests are sent to.
    public var target: String
    /// What they ask.
    public var kind: String
    /// Where it stands.
    public var state: ProviderBatch.State
    /// The provider's name for it; nil until it is there.
    public var remoteID: String?
    /// How many jobs it holds; once it was sent, how many it was sent with.
    public var jobs: Int
    /// How many of them have no answer yet.
    public var open: Int
    /// When its first job came.
    public var createdAt: Int64
    /// When the provider took it.
    public var submittedAt: Int64?
    /// When it is looked at next.
    public var dueAt: Int64
    /// When the provider ends it at the latest.
    public var expiresAt: Int64?
    /// When it ended.
    public var endedAt: Int64?
    /// What went wrong last, in a sentence.
    public var error: String?
}
