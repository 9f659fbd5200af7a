import JobModel

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

    init(_ row: SQLStatement) {
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
                throw StoreError(.corrupt, "the metadata of memory \(id) is no JSON; restore a backup with 'agent-queue database restore'")
            }
            return Memory(
                id: id, namespace: namespace, key: key, text: text, metadata: value, importance: importance, createdAt: createdAt,
                recalledAt: recalledAt, expiresAt: expiresAt, version: version)
        }
    }
}
