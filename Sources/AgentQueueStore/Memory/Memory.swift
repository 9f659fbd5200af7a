import AgentQueueModel

/// A memory as a query reads it: id, namespace's name, key, text, metadata, importance, created, recalled, expires, version.
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
    /// - Throws: `StoreError`, `corrupt`, if its metadata is no JSON.
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

/// A text to remember.
package struct NewMemory: Sendable, Equatable {
    /// The user's own name for it in its namespace, 1 to 512 characters: the next memory of this key takes its place. Nil has none; then a
    /// memory of the same text and metadata is found and kept instead.
    package var key: String?
    /// The text, at most 1 MiB; may be empty where a vector is given.
    package var text: String
    /// The user's own data, a JSON object.
    package var metadata: JSONValue?
    /// How much it matters, 0 to 1; 0.5 unless told.
    package var importance: Double
    /// When it was made (wall clock, ms); nil is now.
    package var createdAt: Int64?
    /// When it is forgotten (wall clock, ms); nil is never.
    package var expiresAt: Int64?
    /// When a search last brought it up, where it was remembered elsewhere before (wall clock, ms). Counts for a new memory alone.
    package var recalledAt: Int64?
    /// Where it lies; nil where it is found by its words alone.
    package var vector: MemoryVector?

    /// Makes one.
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

/// What a job remembers when it completes, in the transaction that completes it.
package struct MemoryWrite: Sendable {
    /// Where.
    package var namespace: String
    /// What made the vectors; nil where no memory has one.
    package var model: VectorModel?
    /// The texts, with their vectors.
    package var memories: [NewMemory]
    /// Those, by their places, that were stored already a moment ago and so come without a vector: they must be there still.
    package var known: Set<Int>

    /// Makes one.
    package init(_ memories: [NewMemory], in namespace: String, model: VectorModel?, known: Set<Int> = []) {
        self.namespace = namespace
        self.model = model
        self.memories = memories
        self.known = known
    }
}

/// What became of a text that was to be remembered.
package struct StoreOutcome: Sendable, Equatable {
    /// How it was taken in.
    package enum Outcome: String, Sendable {
        /// It is a new memory.
        case stored
        /// It took the place of the memory of its key.
        case updated
        /// It was there already; only its time to live, its importance and a vector that it lacked were renewed.
        case duplicate
    }

    /// The memory's id.
    package var id: Int64
    /// How it was taken in.
    package var outcome: Outcome

    /// Makes one.
    package init(id: Int64, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}
