import AgentQueueModel

extension FileStore {
    /// The length of every piece of a file but the last.
    package static let pieceLength = 262_144

    /// How long a file may take to become complete, in milliseconds.
    private static let longestUpload: Int64 = 3_600_000

    /// Begins a file. Nobody sees it before ``complete(_:as:pieces:)``, and pruning removes it if that does not come within the hour.
    /// - Parameter key: the id of the key that it belongs to; 0 where none is asked for.
    package func begin(key: Int64) async throws -> Int64 {
        try await write { transaction in
            let id = try transaction.statement(
                "INSERT INTO files (key_id, name, purpose, created_at, expires_at) VALUES (?, '', ?, ?, ?)"
            ).bind(key).bind(FilePurpose.userData.rawValue).bind(transaction.now).bind(transaction.now + Self.longestUpload).insertedID()
            guard let id else { throw StoreError(.corrupt, "a file could not be added") }
            return id
        }
    }

    /// Adds a piece to a file that is not complete: ``pieceLength`` bytes, fewer only for the last.
    package func append(_ bytes: [UInt8], to file: Int64, number: Int) async throws {
        try await write { transaction in
            _ = try transaction.statement("INSERT INTO file_chunks (file_id, number, bytes) VALUES (?, ?, ?)")
                .bind(file).bind(number).bind(bytes).run()
        }
    }

    /// Makes a file visible to its owner.
    /// - Parameter bytes: the length of all its pieces.
    /// - Throws: `StoreError`; `conflict` if it is complete already, or was given up.
    package func complete(_ file: Int64, as new: NewFile, bytes: Int64) async throws -> StoredFile {
        try await write { transaction in
            let expiry = new.lifetime.map { transaction.now + $0 }
            let changed = try transaction.statement(
                """
                UPDATE files SET name = ?, purpose = ?, media_type = ?, bytes = ?, created_at = ?, expires_at = ?
                WHERE id = ? AND bytes IS NULL AND expires_at > ?
                """
            ).bind(new.name).bind(new.purpose.rawValue).bind(new.mediaType).bind(bytes).bind(transaction.now).bind(expiry).bind(file)
                .bind(transaction.now).run()
            guard changed == 1, let made = try transaction.statement(Self.byID).bind(file).bind(transaction.now).first({ StoredFile($0) })
            else { throw StoreError(.conflict, "the upload took longer than an hour; send the file again") }
            return made
        }
    }

    /// Returns a complete file of a key's; nil if there is none, or no longer.
    package func find(_ file: Int64, key: Int64) throws -> StoredFile? {
        let now = clock.wall()
        let found = try read { try $0.statement(Self.byID).bind(file).bind(now).first { StoredFile($0) } }
        return found?.key == key && found?.purpose != .messageBatch ? found : nil
    }

    /// Returns a part of a key's complete files, and whether there are more beyond it.
    package func list(_ query: FileQuery) throws -> (files: [StoredFile], hasMore: Bool) {
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement(query.isNewestFirst ? Self.newestFirst : Self.oldestFirst).bind(query.key)
                .bind(query.after ?? (query.isNewestFirst ? .max : 0)).bind(now).bind(query.purpose?.rawValue)
            var files = try statement.bind(query.limit + 1).all { StoredFile($0) }
            let hasMore = files.count > query.limit
            if hasMore { files.removeLast() }
            return (files, hasMore)
        }
    }

    /// Returns one piece of a file; nil beyond its end, or if the file is being removed.
    package func piece(_ number: Int, of file: Int64) throws -> [UInt8]? {
        try read { reader in
            try reader.statement("SELECT bytes FROM file_chunks WHERE file_id = ? AND number = ?").bind(file).bind(number)
                .first { $0.blob(0) }
        }
    }

    /// Removes a key's file, or one that is not complete. It is gone at once; its bytes go piece by piece.
    /// - Returns: whether there was one.
    @discardableResult
    package func delete(_ file: Int64, key: Int64) async throws -> Bool {
        let isThere = try await write { transaction in
            try transaction.statement(
                "UPDATE files SET expires_at = ? WHERE id = ? AND key_id = ? AND (expires_at IS NULL OR expires_at > ?)"
            ).bind(transaction.now).bind(file).bind(key).bind(transaction.now).run() == 1
        }
        guard isThere else { return false }
        while try await write({ try !$0.removeFile(file, pieces: FileStore.piecesAtOnce) }) {}
        return true
    }

    /// How many pieces one transaction removes: 4 MiB.
    static let piecesAtOnce = 16

    private static let columns = "SELECT id, key_id, name, purpose, media_type, bytes, created_at, expires_at FROM files"
    private static let byID = SQLText("\(columns) WHERE id = ? AND bytes IS NOT NULL AND (expires_at IS NULL OR expires_at > ?)")
    private static let inKey = """
        \(columns) WHERE key_id = ?1 AND bytes IS NOT NULL AND (expires_at IS NULL OR expires_at > ?3) AND purpose <> 'message_batch'
        """
    private static let newestFirst = SQLText("\(inKey) AND id < ?2 AND purpose = coalesce(?4, purpose) ORDER BY id DESC LIMIT ?5")
    private static let oldestFirst = SQLText("\(inKey) AND id > ?2 AND purpose = coalesce(?4, purpose) ORDER BY id LIMIT ?5")
}

extension StoredFile {
    fileprivate init(_ row: Statement) {
        self.init(
            id: row.int64(0), key: row.int64(1), name: row.text(2), purpose: FilePurpose(rawValue: row.text(3)) ?? .userData,
            mediaType: row.optionalText(4), bytes: row.int64(5), createdAt: row.int64(6), expiresAt: row.optionalInt64(7))
    }
}

extension WriteTransaction {
    /// Removes some pieces of a file, and the file with its last. Returns whether that was it, or if it stays until a batch has read it.
    func removeFile(_ file: Int64, pieces: Int) throws(SQLFailure) -> Bool {
        let isRead = try statement("SELECT 1 FROM client_batches WHERE input_file = ? AND ingested_at IS NULL AND ended_at IS NULL")
            .bind(file).exists()
        guard !isRead else { return true }
        let removed = try statement(
            """
            DELETE FROM file_chunks WHERE file_id = ?1 AND number IN (
                SELECT number FROM file_chunks WHERE file_id = ?1 ORDER BY number DESC LIMIT ?2)
            """
        ).bind(file).bind(pieces).run()
        guard removed < pieces else { return false }
        try statement("DELETE FROM files WHERE id = ?").bind(file).run()
        return true
    }
}
