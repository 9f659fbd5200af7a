import AgentQueueModel

/// A memory's columns in the order in which queries select them: id, namespace's name, key, text, metadata, importance, created, recalled,
/// expires, version.
struct MemoryRow {
    private let id: Int64
    private let namespace: String
    private let key: String?
    private let text: String
    private let metadata: String?
    private let importance: Double
    private let createdAt: Int64
    private let recalledAt: Int64?
    private let expiresAt: Int64?
    private let version: Int64

    init(_ row: Statement) {
        id = row.int64(0)
        namespace = row.text(1)
        key = row.optionalText(2)
        text = row.text(3)
        metadata = row.optionalText(4)
        importance = row.double(5)
        createdAt = row.int64(6)
        recalledAt = row.optionalInt64(7)
        expiresAt = row.optionalInt64(8)
        version = row.int64(9)
    }

    /// The memory.
    /// - Throws: `StoreError`; `corrupt` if its metadata is not valid JSON.
    var memory: Memory {
        get throws {
            let value: JSONValue?
            do { value = try metadata.map { text throws(JSONError) in try JSONValue.parse(text) } } catch {
                throw StoreError(.corrupt, "the metadata of memory \(id) is not valid JSON")
            }
            return Memory(
                id: id, namespace: namespace, key: key, text: text, metadata: value, importance: importance, createdAt: createdAt,
                recalledAt: recalledAt, expiresAt: expiresAt, version: version)
        }
    }
}

/// A text to store as a memory.
package struct NewMemory: Sendable, Equatable {
    /// The user's own name for it within its namespace, 1 to 512 characters. Storing another memory with the same key replaces it. Without
    /// a key, a memory with the same text and metadata is kept instead.
    package var key: String?
    /// At most 1 MiB; may be empty if a vector is given.
    package var text: String
    /// The user's own data, a JSON object.
    package var metadata: JSONValue?
    /// How important it is, 0 to 1; 0.5 by default.
    package var importance: Double
    /// When it was created (wall clock, ms); nil is now.
    package var createdAt: Int64?
    /// When it expires (wall clock, ms); nil is never.
    package var expiresAt: Int64?
    /// When a search last returned it, for an import from elsewhere (wall clock, ms). Used only if the memory is new.
    package var recalledAt: Int64?
    /// Its vector; nil if it is found by its words only.
    package var vector: MemoryVector?

    package init(
        _ text: String, key: String? = nil, metadata: JSONValue? = nil, importance: Double = 0.5, createdAt: Int64? = nil,
        expiresAt: Int64? = nil, vector: MemoryVector? = nil
    ) {
        self.text = text
        self.key = key
        self.metadata = metadata
        self.importance = importance
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.vector = vector
    }
}

/// The memories that a job stores, in the transaction that completes it.
package struct MemoryWrite: Sendable {
    package var namespace: String
    /// The model of the vectors; nil if no memory has one.
    package var model: VectorModel?
    /// The texts with their vectors.
    package var memories: [NewMemory]
    /// The indexes of memories that were found stored already and therefore have no vector here. They must still exist.
    package var known: Set<Int>

    package init(_ memories: [NewMemory], in namespace: String, model: VectorModel?, known: Set<Int> = []) {
        self.namespace = namespace
        self.model = model
        self.memories = memories
        self.known = known
    }
}

/// The result of storing a memory.
package struct StoreOutcome: Sendable, Equatable {
    /// How a memory was stored.
    package enum Outcome: String, Sendable {
        /// It is new.
        case stored
        /// It replaced the memory with its key.
        case updated
        /// It already existed; only its time to live, its importance and a missing vector were updated.
        case duplicate
    }

    /// The memory's id.
    package var id: Int64
    package var outcome: Outcome
    /// When it expires (wall clock, ms); nil means never.
    package var expiresAt: Int64?

    package init(id: Int64, outcome: Outcome, expiresAt: Int64? = nil) {
        self.id = id
        self.outcome = outcome
        self.expiresAt = expiresAt
    }
}
