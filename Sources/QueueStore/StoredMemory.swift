/// A memory's row, as a change finds it.
struct StoredMemory {
    var id: Int64
    var namespaceID: Int64
    var version: Int64
    /// Its entry of the space that was searched when it was written; nil without a vector.
    var entry: Int64?
    var key: String?
    /// What finds its like; nil where a key does.
    var digest: Int64?
    var text: String
    var metadata: String?
    var importance: Double
    var bytes: Int64
    var createdAt: Int64
    var expiresAt: Int64?

    /// Reads the columns as the statements below name them.
    init(_ row: SQLStatement) {
        id = row.int64(0)
        namespaceID = row.int64(1)
        version = row.int64(2)
        entry = row.optionalInt64(3)
        key = row.optionalText(4)
        digest = row.optionalInt64(5)
        text = row.text(6)
        metadata = row.optionalText(7)
        importance = row.double(8)
        bytes = row.int64(9)
        createdAt = row.int64(10)
        expiresAt = row.optionalInt64(11)
    }

    /// Whether its text and metadata are these, byte for byte.
    func holds(_ memory: PreparedMemory) -> Bool {
        guard text.utf8.elementsEqual(memory.text.utf8) else { return false }
        guard let metadata, let other = memory.metadata else { return metadata == nil && memory.metadata == nil }
        return metadata.utf8.elementsEqual(other.utf8)
    }
}

extension WriteTransaction {
    /// The memory of an id.
    func storedMemory(_ id: Int64) throws(SQLFailure) -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE id = ?
            """
        ).bind(id).first { StoredMemory($0) }
    }

    /// The memory of a key.
    func storedMemory(key: String, in namespace: Int64) throws(SQLFailure) -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE namespace_id = ? AND key = ?
            """
        ).bind(namespace).bind(key).first { StoredMemory($0) }
    }
}
