extension QueueStore {
    /// Brings the index of words of a namespace up to date, in slices.
    public func indexWords(of namespace: Int64) async throws {
        while try await write({ try $0.indexWords(of: namespace) }) {}
    }
}

extension WriteTransaction {
    /// The most memories of a slice, and the most bytes of their texts, but for the last.
    private static let wordSlice = (rows: 500, bytes: 128 << 10)

    /// Takes the words of the next memories into the index. Returns whether more may be waiting.
    func indexWords(of namespace: Int64) throws -> Bool {
        guard let place = try memoryPlace(namespace) else { return false }
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
