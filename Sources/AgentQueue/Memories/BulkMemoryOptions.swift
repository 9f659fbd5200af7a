import JobModel

/// What holds for all lines of a file of memories.
public struct BulkMemoryOptions: Sendable {
    /// Where memories go whose lines do not say.
    public var namespace = NamespaceName.usual
    /// Whether all go there, whatever their lines say. Default false.
    public var overridesNamespaces = false
    /// The data of memories whose lines have none.
    public var metadata: JSONValue?
    /// How much memories matter whose lines do not say.
    public var importance: Double?
    /// How long memories are kept whose lines do not say.
    public var expiry = MemoryExpiry.usual
    /// What made the vectors that are given, `provider/model`, where a line does not say; nil is the user's own.
    public var model: String?
    /// Whether vectors that are given are passed over, so that the configured model embeds every text. Default false.
    public var embedsAgain = false
    /// Whether a memory whose time has passed already is passed over, rather than refused. Default false.
    public var skipsExpired = false

    /// Nothing said.
    public init() {}
}
