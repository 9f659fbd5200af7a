extension MemorySnapshot {
    /// The most distinct words in a search.
    private static let maxWords = 64

    /// The memories of a namespace that contain any of the words, ranked by FTS5's bm25 (smaller is better), older ones first among
    /// equals. Finds only memories that are in the full-text index; call ``MemoryStore/indexWords(of:)`` first to bring it up to date.
    /// Words are treated as data, never as operators. At most 64 distinct words count.
    package func words(_ words: [String], in namespace: Int64, limit: Int) throws -> [(id: Int64, rank: Double)] {
        let query = Self.query(words)
        guard !query.isEmpty, limit > 0 else { return [] }
        let counts = try statement(
            "SELECT memories, (SELECT value FROM counters WHERE name = 'memories') FROM namespaces WHERE id = ? AND is_forgotten = 0"
        ).bind(namespace).first { (own: $0.int64(0), all: $0.int64(1)) }
        guard let counts else { return [] }
        // Matching the namespace's own token avoids reading other namespaces' memories. If most memories have that token, matching it
        // would itself be a long scan.
        let isMost = counts.own * 2 > counts.all
        let match = isMost ? "text : (\(query))" : "space : \"\(NamespaceState.token(namespace))\" AND text : (\(query))"
        let isThere = try statement(
            "SELECT 1 FROM memories WHERE id = ? AND namespace_id = ? AND (expires_at IS NULL OR expires_at > ?)")
        var hits: [(id: Int64, rank: Double)] = []
        let ranked = try statement(
            "SELECT rowid, rank FROM memory_words WHERE memory_words MATCH ? AND rank MATCH 'bm25(1.0, 0.0)' ORDER BY rank")
        var failure: (any Error)?
        try ranked.bind(match).readRows { row in
            let (id, rank) = (row.int64(0), row.double(1))
            // Read on through equal ranks, because the older memories come first.
            if hits.count >= limit, rank > hits[limit - 1].rank { return false }
            do {
                if try isThere.bind(id).bind(namespace).bind(now).first({ _ in true }) == true { hits.append((id, rank)) }
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        hits.sort { ($0.rank, $0.id) < ($1.rank, $1.id) }
        return Array(hits.prefix(limit))
    }

    /// Whether some memories of the namespace are not in the full-text index yet.
    package func lacksWords(_ namespace: Int64) throws -> Bool {
        try statement(
            """
            SELECT EXISTS (SELECT 1 FROM memories WHERE namespace_id = ?1
                           AND id > (SELECT words_to FROM namespaces WHERE id = ?1))
            """
        ).bind(namespace).first { $0.int64(0) == 1 } ?? false
    }

    /// An FTS5 query for any of the words, each quoted as a string with its quotes doubled. Words without a letter or digit are left out,
    /// because they match nothing.
    private static func query(_ words: [String]) -> String {
        var seen: Set<String> = []
        var parts: [String] = []
        for word in words {
            guard parts.count < maxWords else { break }
            let word = word.unicodeScalars.filter { $0.value != 0 }.reduce(into: "") { $0.unicodeScalars.append($1) }
            guard word.unicodeScalars.contains(where: { $0.properties.isAlphabetic || $0.properties.numericType != nil }) else { continue }
            guard word.utf8.count <= 1_024, seen.insert(word.lowercased()).inserted else { continue }
            parts.append("\"" + word.replacing("\"", with: "\"\"") + "\"")
        }
        return parts.joined(separator: " OR ")
    }
}

extension MemoryStore {
    /// Brings the full-text index of a namespace up to date, in slices.
    package func indexWords(of namespace: Int64) async throws {
        while try await write({ try $0.indexWords(of: namespace) }) {}
    }
}

extension WriteTransaction {
    /// The most memories in a slice, and the most bytes of their texts, not counting the last.
    private static let wordSlice = (rows: 500, bytes: 128 << 10)

    /// Indexes the words of the next memories. Returns whether there may be more.
    func indexWords(of namespace: Int64) throws -> Bool {
        guard let place = try namespaceState(namespace) else { return false }
        var texts: [(id: Int64, text: String)] = []
        var bytes = 0
        try statement("SELECT id, text FROM memories WHERE namespace_id = ? AND id > ? ORDER BY id")
            .bind(namespace).bind(place.wordsTo).readRows { row in
                texts.append((row.int64(0), row.text(1)))
                bytes += texts[texts.count - 1].text.utf8.count
                return texts.count < Self.wordSlice.rows && bytes < Self.wordSlice.bytes
            }
        guard let last = texts.last?.id else { return false }
        for (id, text) in texts { try addWords(of: id, text, in: place) }
        try statement("UPDATE namespaces SET words_to = ? WHERE id = ?").bind(last).bind(namespace).run()
        return texts.count == Self.wordSlice.rows || bytes >= Self.wordSlice.bytes
    }
}
