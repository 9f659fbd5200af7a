import GRDB
import JobModel

/// The memories as they were at one moment: what a search looks at. Valid during `QueueStore.readMemories` alone, on its thread.
public final class MemorySnapshot {
    let database: Database
    /// The wall clock, ms: what has expired by then is not there.
    public let now: Int64

    init(_ database: Database, now: Int64) {
        self.database = database
        self.now = now
    }

    /// The largest number that was given: an index that has followed up to it is as new as this snapshot.
    public func latestNumber() throws -> Int64 { throw Self.unbuilt }

    /// The namespace of a name; nil where there is none.
    public func namespace(named name: String) throws -> MemoryNamespace? { throw Self.unbuilt }

    /// All namespaces, by name.
    public func namespaces() throws -> [MemoryNamespace] { throw Self.unbuilt }

    /// Gives all that changed in a space after a number: first what was forgotten, then new entries, in the order of their numbers. From 0,
    /// gives all. False, and nothing is given, where what was forgotten since is no longer on record: then the index begins again from 0.
    public func changes(of space: MemorySpace, after number: Int64, _ body: (MemoryChange) throws -> Void) throws -> Bool {
        throw Self.unbuilt
    }

    /// Gives the exact vectors of entries, by their numbers, in ascending order; an entry that is gone is passed over. The bytes are valid
    /// during the call: Float32, little-endian.
    public func vectors(
        _ numbers: [Int64], of space: MemorySpace, _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws { throw Self.unbuilt }

    /// The memories of ids, by id; those that are gone or have expired are missing.
    public func memories(_ ids: [Int64]) throws -> [Int64: Memory] { throw Self.unbuilt }

    /// Gives the metadata of the memories of a namespace with ids in a range, in the order of their ids: as JSON text, nil where there is
    /// none.
    public func metadata(
        of namespace: Int64, ids: ClosedRange<Int64>, _ body: (_ id: Int64, _ metadata: String?) throws -> Void
    ) throws { throw Self.unbuilt }

    /// The memories of a namespace that hold any of the words, the best first by bm25 (FTS5's, the smaller the better). Only those that are
    /// in the index of words: `QueueStore.indexWords(of:)` brings that up to date.
    public func words(_ words: [String], in namespace: Int64, limit: Int) throws -> [(id: Int64, rank: Double)] { throw Self.unbuilt }

    /// Whether memories of the namespace are not in the index of words yet.
    public func lacksWords(_ namespace: Int64) throws -> Bool { throw Self.unbuilt }

    private static let unbuilt = StoreError(.internal, "not built yet")
}
