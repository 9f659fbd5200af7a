/// A block's entries in memory, read from the database or about to be written.
struct BlockContent {
    var heads: [UInt8] = []
    var codes: [UInt8] = []
    /// Float32, little-endian.
    var values: [UInt8] = []

    static let maxEntries = 256
    /// The most bytes of exact vectors in a block, unless a single vector is larger.
    static let maxBytes = 512 << 10

    /// The most entries in a block of vectors with that dimension.
    static func capacity(dimension: Int) -> Int { max(1, min(maxEntries, maxBytes / (4 * dimension))) }

    /// Whether its bytes consist of complete entries.
    func isWhole(dimension: Int) -> Bool {
        heads.count % MemoryEntry.byteCount == 0 && codes.count == count * dimension && values.count == 4 * codes.count
    }

    var count: Int { heads.count / MemoryEntry.byteCount }

    /// The head of the entry at an index, from 0.
    func head(_ index: Int) -> MemoryEntry {
        heads.withUnsafeBytes { MemoryBlock(heads: $0, codes: UnsafeRawBufferPointer(start: nil, count: 0)).entry(index) }
    }

    /// The index of the entry with a number; nil if there is none.
    func place(of number: Int64) -> Int? { heads.withUnsafeBytes { Self.place(of: number, in: $0) } }

    /// The index of the entry with a number among the given heads; nil if there is none.
    static func place(of number: Int64, in heads: UnsafeRawBufferPointer) -> Int? {
        var range = 0..<heads.count / MemoryEntry.byteCount
        while let first = range.first {
            let middle = first + range.count / 2
            let found = Int64(littleEndian: heads.loadUnaligned(fromByteOffset: middle * MemoryEntry.byteCount, as: Int64.self))
            if found == number { return middle }
            range = found < number ? middle + 1..<range.upperBound : first..<middle
        }
        return nil
    }

    /// The entry at an index, with its codes and values.
    func entry(_ index: Int) -> NewEntry {
        let dimension = codes.count / count
        return NewEntry(
            head: head(index), codes: Array(codes[index * dimension..<(index + 1) * dimension]),
            values: Array(values[index * 4 * dimension..<(index + 1) * 4 * dimension]))
    }

    /// Appends an entry, whose number must be larger than all before.
    mutating func append(_ entry: NewEntry) {
        heads.append(entry.head)
        codes += entry.codes
        values += entry.values
    }
}

extension [UInt8] {
    /// Appends an entry's head in its stored form.
    fileprivate mutating func append(_ head: MemoryEntry) {
        func add(_ value: some FixedWidthInteger) { Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) } }
        add(head.number)
        add(head.memoryID)
        add(head.expiresAt)
        add(head.createdAt)
        for value in [head.importance, head.scale, head.error, head.norm] { add(value.bitPattern) }
    }
}

extension WriteTransaction {
    /// The block of a space whose range includes an entry.
    func block(of space: MemorySpace, holding number: Int64) throws(SQLFailure) -> BlockContent? {
        let block = try statement(
            """
            SELECT heads, codes, vectors FROM memory_codes JOIN memory_vectors USING (block_id) WHERE block_id = (
                SELECT id FROM memory_blocks WHERE space_id = ? AND last >= ? ORDER BY last LIMIT 1)
            """
        ).bind(space.id).bind(number).first { BlockContent(heads: $0.blob(0), codes: $0.blob(1), values: $0.blob(2)) }
        guard let block else { return nil }
        guard block.isWhole(dimension: space.dimension) else { throw .damagedBlock }
        return block
    }

    /// Whether a block of a space contains an entry.
    func holds(_ number: Int64, space: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT heads FROM memory_codes WHERE block_id = (
                SELECT id FROM memory_blocks WHERE space_id = ? AND last >= ? ORDER BY last LIMIT 1)
            """
        ).bind(space).bind(number).first { BlockContent.place(of: number, in: $0.blobBytes(0)) != nil } ?? false
    }

    func insert(_ block: BlockContent, in space: Int64) throws(SQLFailure) {
        guard block.count > 0 else { return }
        let first = block.head(0).number
        try statement("INSERT INTO memory_blocks (id, space_id, last, entries) VALUES (?, ?, ?, ?)")
            .bind(first).bind(space).bind(block.head(block.count - 1).number).bind(block.count).run()
        try statement("INSERT INTO memory_codes (block_id, heads, codes) VALUES (?, ?, ?)")
            .bind(first).bind(block.heads).bind(block.codes).run()
        try statement("INSERT INTO memory_vectors (block_id, vectors) VALUES (?, ?)").bind(first).bind(block.values).run()
    }

    /// Writes entries as new blocks.
    func insert(_ entries: [NewEntry], in space: MemorySpace) throws(SQLFailure) {
        let capacity = BlockContent.capacity(dimension: space.dimension)
        let sorted = entries.sorted { $0.head.number < $1.head.number }
        for start in stride(from: 0, to: sorted.count, by: capacity) {
            var block = BlockContent()
            let slice = sorted[start..<min(start + capacity, sorted.count)]
            block.heads.reserveCapacity(slice.count * MemoryEntry.byteCount)
            block.codes.reserveCapacity(slice.count * space.dimension)
            block.values.reserveCapacity(slice.count * space.dimension * 4)
            for entry in slice { block.append(entry) }
            try insert(block, in: space.id)
        }
    }
}

/// A block's row without its entries.
struct BlockSummary: Equatable {
    /// The number of its first entry.
    var id: Int64
    /// The number of its last entry.
    var last: Int64
    var entries: Int
    /// How many of them are dead.
    var dead: Int

    var live: Int { entries - dead }

    /// Groups of neighbouring blocks to merge, or to rewrite without their dead entries. A block is worth rewriting if a quarter of its
    /// entries are dead. Otherwise at least four blocks are merged, and only if the result has at least twice the live entries of the
    /// largest, so that an entry is rewritten only a few times in its life.
    /// - Parameters:
    ///   - blocks: all blocks of a space, in order.
    ///   - capacity: the most entries of a block. A group has at most twice as many, including dead ones, to keep the transaction short.
    static func groups(of blocks: [BlockSummary], capacity: Int) -> [ArraySlice<BlockSummary>] {
        var groups: [ArraySlice<BlockSummary>] = []
        var window = blocks[0..<0]
        var live = 0
        var entries = 0
        /// Emits what is worth rewriting in the window, or else drops its first block.
        func shrink() {
            var end = window.startIndex + 1
            if window.count >= 4, live >= 2 * (window.map(\.live).max() ?? 0) {
                groups.append(window)
                end = window.endIndex
            } else if let first = window.firstIndex(where: \.isRotten), let last = window.lastIndex(where: \.isRotten) {
                // The blocks around them need no rewriting.
                groups.append(window[first...last])
                end = last + 1
            }
            window = window[end...]
            live = window.reduce(0) { $0 + $1.live }
            entries = window.reduce(0) { $0 + $1.entries }
        }
        for index in blocks.indices {
            while !window.isEmpty, live + blocks[index].live > capacity || entries + blocks[index].entries > 2 * capacity { shrink() }
            window = blocks[(window.isEmpty ? index : window.startIndex)...index]
            live += blocks[index].live
            entries += blocks[index].entries
        }
        while !window.isEmpty { shrink() }
        return groups
    }

    /// Whether its dead entries alone make it worth rewriting.
    private var isRotten: Bool { dead * 4 >= entries }
}
