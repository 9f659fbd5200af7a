extension MemorySnapshot {
    /// Passes on all changes of a space after a number: first the forgotten memories, then new entries in the order of their numbers. With
    /// 0, passes everything. Returns false, without passing anything, if the forgotten memories since then are no longer on record; the
    /// index must then start over from 0.
    package func changes(of space: MemorySpace, after number: Int64, _ body: (MemoryChange) throws -> Void) throws -> Bool {
        let horizon = try statement("SELECT horizon FROM namespaces WHERE id = ?").bind(space.namespaceID).first { $0.int64(0) }
        guard number == 0 || number >= horizon ?? .max else { return false }
        try statement("SELECT memory_id, number FROM memory_changes WHERE namespace_id = ? AND number > ? ORDER BY number")
            .bind(space.namespaceID).bind(number).eachRow { row in
                try body(.forgotten(memoryID: row.int64(0), number: row.int64(1)))
            }
        try statement(
            """
            SELECT heads, codes FROM memory_blocks JOIN memory_codes ON block_id = id WHERE space_id = ? AND last > ? ORDER BY last
            """
        ).bind(space.id).bind(number).eachRow { row in
            let block = MemoryBlock(heads: row.blobBytes(0), codes: row.blobBytes(1))
            // The receiver reads these bytes without further checks.
            guard block.heads.count % MemoryEntry.byteCount == 0, block.codes.count == block.count * space.dimension else {
                throw SQLFailure.damagedBlock
            }
            try body(.entries(block))
        }
        return true
    }

    /// Passes on the exact vectors of entries, given by their numbers in ascending order; missing entries are skipped. The bytes (Float32,
    /// little-endian) are valid only during the call.
    package func vectors(
        _ numbers: [Int64], of space: MemorySpace, _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let length = 4 * space.dimension
        let find = try statement("SELECT id, last, entries FROM memory_blocks WHERE space_id = ? AND last >= ? ORDER BY last LIMIT 1")
        let reader = self.reader.blobs(table: "memory_vectors", column: "vectors")
        defer { reader.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 64)
        defer { buffer.deallocate() }
        var block: (id: Int64, last: Int64, entries: Int64) = (0, 0, 0)
        var heads: [UInt8] = []
        for (index, number) in numbers.enumerated() {
            if number > block.last {
                guard let next = try find.bind(space.id).bind(number).first({ (id: $0.int64(0), last: $0.int64(1), entries: $0.int64(2)) })
                else { return }
                block = next
                heads = []
            }
            guard number >= block.id else { continue }
            var place = Int(number &- block.id)
            // In a block without gaps, the index follows from the number.
            if block.last &- block.id &+ 1 != block.entries {
                if heads.isEmpty {
                    heads = try statement("SELECT heads FROM memory_codes WHERE block_id = ?").bind(block.id).first { $0.blob(0) } ?? []
                }
                guard let found = heads.withUnsafeBytes({ BlockContent.place(of: number, in: $0) }) else { continue }
                place = found
            }
            guard (0..<BlockContent.maxEntries).contains(place) else { throw SQLFailure.damagedBlock }
            try reader.read(row: block.id, at: place * length, into: buffer)
            try body(index, UnsafeRawBufferPointer(buffer))
        }
    }

    /// The numbers of the memories' entries in a space, ascending; memories without an entry are omitted.
    package func numbers(of ids: [Int64], in space: MemorySpace) throws -> [(number: Int64, memoryID: Int64)] {
        var numbers: [(number: Int64, memoryID: Int64)] = []
        for id in ids {
            let number = try statement(
                """
                SELECT coalesce((SELECT number FROM memory_entries WHERE memory_id = memories.id AND space_id = ?2),
                                CASE WHEN space_id = ?2 THEN entry END)
                FROM memories JOIN namespaces ON namespaces.id = namespace_id WHERE memories.id = ?1
                """
            ).bind(id).bind(space.id).first { $0.optionalInt64(0) }
            if let number, let number { numbers.append((number, id)) }
        }
        return numbers.sorted { $0.number < $1.number }
    }
}
