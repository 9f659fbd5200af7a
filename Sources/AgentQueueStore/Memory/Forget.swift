import AgentQueueModel

extension MemoryStore {
    /// Deletes memories in slices. Returns how many existed.
    package func forget(_ ids: [Int64]) async throws -> Int {
        var forgotten = 0
        for start in stride(from: 0, to: ids.count, by: Self.forgetSlice) {
            let slice = Array(ids[start..<min(start + Self.forgetSlice, ids.count)])
            forgotten += try await write { try $0.forget(slice) }
        }
        return forgotten
    }

    /// Deletes a namespace and its name. Nobody finds it after the first transaction; its contents are deleted in slices. Returns how many
    /// memories there were. If a crash interrupts this, the next `prune` deletes the rest.
    package func forgetNamespace(_ name: String) async throws -> Int {
        let found = try await write { transaction in
            let found = try transaction.statement("SELECT id, memories FROM namespaces WHERE name = ? AND is_forgotten = 0").bind(name)
                .first { (id: $0.int64(0), memories: $0.int(1)) }
            guard let found else { return nil as (id: Int64, memories: Int)? }
            let gathered = transaction.ledger.change(ofNamespace: found.id)
            try transaction.statement("UPDATE namespaces SET is_forgotten = 1 WHERE id = ?").bind(found.id).run()
            return (found.id, found.memories + Int(gathered.memories))
        }
        guard let found else { return 0 }
        while try await write({ try $0.clear(namespace: found.id) }) {}
        return found.memories
    }

    /// How many memories one transaction deletes; each must be removed from the full-text index by its text.
    static let forgetSlice = 200
}

extension WriteTransaction {
    /// Deletes memories. Returns how many existed.
    func forget(_ ids: [Int64]) throws(SQLFailure) -> Int {
        var forgotten = 0
        var number = try latestMemoryNumber()
        var places: [Int64: NamespaceState] = [:]
        for id in ids {
            guard let memory = try storedMemory(id) else { continue }
            if places[memory.namespaceID] == nil { places[memory.namespaceID] = try namespaceState(memory.namespaceID) }
            guard let place = places[memory.namespaceID] else { continue }
            number += 1
            try forget(memory, in: place, at: number)
            forgotten += 1
        }
        try setLatestMemoryNumber(number)
        return forgotten
    }

    /// Deletes one memory.
    /// - Parameters:
    ///   - number: the number of this change.
    ///   - unwritten: the spaces in which its entry has not been written to a block yet.
    func forget(_ memory: StoredMemory, in place: NamespaceState, at number: Int64, unwritten: [Int64] = []) throws(SQLFailure) {
        try bury(memory, in: place, at: number, unwritten: unwritten)
        if memory.id <= place.wordsTo { try removeWords(of: memory.id, memory.text, in: place) }
        if let building = place.building {
            try statement("DELETE FROM memory_revisits WHERE space_id = ? AND memory_id = ?").bind(building.id).bind(memory.id).run()
        }
        if let digest = memory.digest { try removeDigest(digest, of: memory.id, in: place) }
        try statement("DELETE FROM memories WHERE id = ?").bind(memory.id).run()
        ledger.changeMemories(of: place.id, by: -1, bytes: -memory.bytes)
    }

    /// Deletes a slice of a forgotten namespace's contents. Returns whether there is more.
    func clear(namespace id: Int64) throws(SQLFailure) -> Bool {
        guard let place = try namespaceState(id) else { return false }
        let memories = try statement(
            "SELECT id, bytes, CASE WHEN id <= ?2 THEN text END, digest FROM memories WHERE namespace_id = ?1 LIMIT ?3"
        )
        .bind(id).bind(place.wordsTo).bind(MemoryStore.forgetSlice).all {
            (id: $0.int64(0), bytes: $0.int64(1), text: $0.optionalText(2), digest: $0.optionalInt64(3))
        }
        for memory in memories {
            if let text = memory.text { try removeWords(of: memory.id, text, in: place) }
            if let digest = memory.digest { try removeDigest(digest, of: memory.id, in: place) }
            try statement("DELETE FROM memory_entries WHERE memory_id = ?").bind(memory.id).run()
            try statement("DELETE FROM memories WHERE id = ?").bind(memory.id).run()
            ledger.changeMemories(of: id, by: -1, bytes: -memory.bytes)
        }
        guard memories.isEmpty else { return true }
        let blocks = try statement(
            "DELETE FROM memory_blocks WHERE id IN (SELECT id FROM memory_blocks WHERE space_id IN (SELECT id FROM memory_spaces WHERE namespace_id = ?) LIMIT 8)"
        ).bind(id).run()
        guard blocks == 0 else { return true }
        let changes = try statement(
            "DELETE FROM memory_changes WHERE memory_id IN (SELECT memory_id FROM memory_changes WHERE namespace_id = ? LIMIT 500)"
        ).bind(id).run()
        guard changes == 0 else { return true }
        let revisits = try statement(
            """
            DELETE FROM memory_revisits WHERE (space_id, memory_id) IN (
                SELECT space_id, memory_id FROM memory_revisits WHERE space_id IN (SELECT id FROM memory_spaces WHERE namespace_id = ?)
                LIMIT 500)
            """
        ).bind(id).run()
        guard revisits == 0 else { return true }
        try statement("DELETE FROM memory_spaces WHERE namespace_id = ?").bind(id).run()
        try statement("DELETE FROM namespaces WHERE id = ?").bind(id).run()
        return false
    }

    /// Counts a memory's entries as dead before it is changed or deleted, and records the change for in-memory indexes.
    /// - Parameters:
    ///   - number: the number of this change.
    ///   - unwritten: the spaces in which its entry has not been written to a block yet.
    func bury(_ memory: StoredMemory, in place: NamespaceState, at number: Int64, unwritten: [Int64]) throws(SQLFailure) {
        var entries = try statement("SELECT space_id, number FROM memory_entries WHERE memory_id = ?").bind(memory.id).all {
            (space: $0.int64(0), number: $0.int64(1))
        }
        if !entries.isEmpty {
            try statement("DELETE FROM memory_entries WHERE memory_id = ?").bind(memory.id).run()
            if let building = place.building, entries.contains(where: { $0.space == building.id }) {
                try statement("UPDATE memory_spaces SET live = live - 1 WHERE id = ?").bind(building.id).run()
            }
        }
        if let entry = memory.entry, let current = place.current {
            if entries.contains(where: { $0.space == current.id }) {
                // The memory was embedded again since, so the entry belongs to an earlier space.
                for space in place.dropped where try holds(entry, space: space) {
                    entries.append((space, entry))
                }
            } else {
                entries.append((current.id, entry))
            }
        }
        var dead = 0
        for entry in entries where !unwritten.contains(entry.space) {
            dead += try statement(
                """
                UPDATE memory_blocks SET dead = dead + 1 WHERE id = (
                    SELECT id FROM memory_blocks WHERE space_id = ? AND last >= ? ORDER BY last LIMIT 1)
                """
            ).bind(entry.space).bind(entry.number).run()
        }
        guard dead > 0 else { return }
        try statement(
            """
            INSERT INTO memory_changes (memory_id, namespace_id, number, dead, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (memory_id) DO UPDATE SET number = ?3, dead = memory_changes.dead + ?4, changed_at = ?5
            """
        ).bind(memory.id).bind(place.id).bind(number).bind(dead).bind(now).run()
    }

    /// The number of a memory's entry in a space; nil if it has none.
    func liveNumber(of memory: StoredMemory, in space: Int64, of place: NamespaceState) throws(SQLFailure) -> Int64? {
        let number = try statement("SELECT number FROM memory_entries WHERE memory_id = ? AND space_id = ?")
            .bind(memory.id).bind(space).first { $0.int64(0) }
        return number ?? (space == place.current?.id ? memory.entry : nil)
    }

    /// Records a memory's entry in the space being built.
    func noteEntry(_ number: Int64, of memory: Int64, in space: Int64) throws(SQLFailure) {
        try statement("INSERT INTO memory_entries (memory_id, space_id, number) VALUES (?, ?, ?)")
            .bind(memory).bind(space).bind(number).run()
        try statement("UPDATE memory_spaces SET live = live + 1 WHERE id = ?").bind(space).run()
    }

    private func removeDigest(_ digest: Int64, of id: Int64, in place: NamespaceState) throws(SQLFailure) {
        try statement("DELETE FROM memory_digests WHERE namespace_id = ? AND digest = ? AND memory_id = ?")
            .bind(place.id).bind(digest).bind(id).run()
    }

    // MARK: The index of words

    /// Removes a memory's words from the full-text index, which needs the exact text that was indexed.
    func removeWords(of id: Int64, _ text: String, in place: NamespaceState) throws(SQLFailure) {
        try statement("INSERT INTO memory_words (memory_words, rowid, text, space) VALUES ('delete', ?, ?, ?)")
            .bind(id).bind(text).bind(place.token).run()
    }

    func addWords(of id: Int64, _ text: String, in place: NamespaceState) throws(SQLFailure) {
        try statement("INSERT INTO memory_words (rowid, text, space) VALUES (?, ?, ?)").bind(id).bind(text).bind(place.token).run()
    }

    func replaceWords(of memory: StoredMemory, by text: String, in place: NamespaceState) throws(SQLFailure) {
        try removeWords(of: memory.id, memory.text, in: place)
        try addWords(of: memory.id, text, in: place)
    }
}
