/// A memory's row, as a change finds it.
struct StoredMemory {
    var id: Int64
    var namespaceID: Int64
    var version: Int64
    /// Its entry of the space that was searched when it was written; nil without a vector.
    var entry: Int64?
    var key: String?
    var text: String
    var metadata: String?
    var importance: Double
    var bytes: Int64
    var createdAt: Int64
    var expiresAt: Int64?

    /// The row's columns, in the order in which they are read: a literal, to be part of one.
    init(_ row: SQLStatement) {
        id = row.int64(0)
        namespaceID = row.int64(1)
        version = row.int64(2)
        entry = row.optionalInt64(3)
        key = row.optionalText(4)
        text = row.text(5)
        metadata = row.optionalText(6)
        importance = row.double(7)
        bytes = row.int64(8)
        createdAt = row.int64(9)
        expiresAt = row.optionalInt64(10)
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
            SELECT id, namespace_id, version, entry, key, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE id = ?
            """
        ).bind(id).first { StoredMemory($0) }
    }

    /// The memory of a key.
    func storedMemory(key: String, in namespace: Int64) throws(SQLFailure) -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE namespace_id = ? AND key = ?
            """
        ).bind(namespace).bind(key).first { StoredMemory($0) }
    }

    /// The memories without a key that may be the same as one of that digest.
    func storedMemories(digest: Int64, in namespace: Int64) throws(SQLFailure) -> [StoredMemory] {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE namespace_id = ? AND digest = ? AND key IS NULL ORDER BY id
            """
        ).bind(namespace).bind(digest).all { StoredMemory($0) }
    }
}
