/// What a query found.
public struct MemoryAnswer: Sendable, Equatable {
    /// The memories, the best first.
    public var hits: [MemoryHit]
    /// How the search went, namespace by namespace.
    public var reports: [NamespaceReport]

    /// Makes one.
    public init(hits: [MemoryHit], reports: [NamespaceReport]) {
        self.hits = hits
        self.reports = reports
    }
}
