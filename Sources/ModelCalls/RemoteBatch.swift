/// A batch, as its provider describes it.
public struct RemoteBatch: Sendable, Equatable {
    /// Where it stands.
    public enum Status: Sendable, Equatable {
        /// Under way, or about to end.
        case inProgress
        /// Ended, completely or not: its results can be read.
        case ended
        /// Refused as a whole, for the reason given. Nothing was charged for.
        case refused(String)
    }

    /// The provider's name for it.
    public var id: String
    /// Where it stands.
    public var status: Status
    /// How many requests it holds, where the provider says.
    public var count: Int?
    /// When it was made (wall clock, ms).
    public var createdAt: Int64
    /// When it ends at the latest (wall clock, ms).
    public var expiresAt: Int64?
    /// Whether it bears the label that was looked for; else it may be another's, and only its results tell.
    public var isCertain: Bool
    /// What the provider needs to be told to hand its results out: files or addresses, in the provider's own way.
    public var sources: [String]

    /// Makes a description.
    public init(
        id: String, status: Status, count: Int? = nil, createdAt: Int64, expiresAt: Int64? = nil, isCertain: Bool = true,
        sources: [String] = []
    ) {
        self.id = id
        self.status = status
        self.count = count
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isCertain = isCertain
        self.sources = sources
    }
}
