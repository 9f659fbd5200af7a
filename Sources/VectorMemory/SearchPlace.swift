import QueueStore

/// A namespace that a query looks into.
struct SearchPlace {
    /// The namespace.
    let namespace: MemoryNamespace
    /// Its vectors; nil where it has none, or they are not asked for.
    var index: SpaceIndex?
    /// How the search went there.
    var report: NamespaceReport

    init(_ namespace: MemoryNamespace, index: SpaceIndex?) {
        self.namespace = namespace
        self.index = index
        report = NamespaceReport(namespace: namespace.name)
    }
}
