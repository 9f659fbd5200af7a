import QueueStore

/// The search for memories, in one process: keeps an index of each namespace that is asked for, and brings it up to date before each
/// answer, so that what any process has stored is found by the next search.
public final class MemorySearch: Sendable {
    private let store: QueueStore

    /// Makes one; reads nothing.
    /// - Parameter maxBytes: how much the indexes may take in memory together; the longest unused go first. 2 GiB unless told.
    public init(_ store: QueueStore, maxBytes: Int = 2 << 30) { self.store = store }

    /// Answers queries, each in its namespaces. Blocks while it scans: not for a thread that others wait for.
    /// - Returns: an answer for each, in their order.
    /// - Throws: `MemoryError`, `VectorError`, `StoreError`.
    public func answer(_ queries: [MemoryQuery]) throws -> [MemoryAnswer] { throw MemoryError("not built yet") }
}
