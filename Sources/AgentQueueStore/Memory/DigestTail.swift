/// The digests of a namespace's newest memories, which are not yet in `memory_digests`, as far as this process knows them.
///
/// Digests are random, so inserting a batch of a hundred into the index would write a hundred pages. The newest digests are therefore
/// looked up here, and merged into the index many at a time in digest order, so that several share a page.
struct DigestTail {
    /// The first memory with a digest.
    private var first: [Int64: Int64] = [:]
    /// Further memories with the same digest.
    private var more: [Int64: [Int64]] = [:]
    /// Memories up to this id are in the index.
    private(set) var digestedTo: Int64
    /// Memories up to this id have been read.
    private(set) var seenTo: Int64
    /// The digests that are being merged into the index.
    private var merge: Merge?

    private struct Merge {
        /// Sorted by digest.
        var entries: [(digest: Int64, id: Int64)]
        var next = 0
        /// They include all memories up to this id.
        var to: Int64
    }

    init(after digestedTo: Int64) {
        self.digestedTo = digestedTo
        seenTo = digestedTo
    }

    /// The memories in the tail that have a digest.
    func ids(of digest: Int64) -> [Int64] {
        guard let id = first[digest] else { return [] }
        return [id] + (more[digest] ?? [])
    }

    mutating func add(_ digest: Int64, _ id: Int64) {
        if first[digest] == nil { first[digest] = id } else { more[digest, default: []].append(id) }
        seenTo = max(seenTo, id)
    }

    /// The next digests to merge into the index, sorted; empty while there are few.
    /// - Parameters:
    ///   - threshold: how many digests may accumulate before a merge begins.
    ///   - limit: the most to return.
    mutating func slice(threshold: Int, limit: Int) -> ArraySlice<(digest: Int64, id: Int64)> {
        if merge == nil, first.count > threshold {
            var entries = first.map { (digest: $0.key, id: $0.value) }
            for (digest, ids) in more { entries += ids.map { (digest, $0) } }
            entries.sort { ($0.digest, $0.id) < ($1.digest, $1.id) }
            merge = Merge(entries: entries, to: seenTo)
        }
        guard var merge else { return [] }
        let slice = merge.entries[merge.next..<min(merge.next + limit, merge.entries.count)]
        merge.next = slice.endIndex
        self.merge = merge
        return slice
    }

    /// Once the last slice was taken: the id up to which all memories are now in the index. Nil before that.
    mutating func finishMerge() -> Int64? {
        guard let merge, merge.next == merge.entries.count else { return nil }
        forget(upTo: merge.to)
        return merge.to
    }

    /// Removes what is in the index by now.
    mutating func forget(upTo id: Int64) {
        guard id > digestedTo else { return }
        digestedTo = id
        seenTo = max(seenTo, id)
        if let merge, merge.to <= id { self.merge = nil }
        var rest = DigestTail(after: id)
        for (digest, memory) in first where memory > id { rest.add(digest, memory) }
        for (digest, memories) in more { for memory in memories where memory > id { rest.add(digest, memory) } }
        (first, more) = (rest.first, rest.more)
    }
}

extension WriteTransaction {
    /// The most namespaces whose tails are kept.
    private static let maxTails = 64
    /// A merge begins once the tail has more than 1/32 of the namespace's memories.
    private static let tailShare: Int64 = 32

    /// Brings a namespace's tail up to date.
    func refreshTail(of place: NamespaceState) throws(SQLFailure) {
        if tails.count >= Self.maxTails, tails[place.id] == nil { tails.removeAll() }
        var tail = tails.removeValue(forKey: place.id) ?? DigestTail(after: place.digestedTo)
        tail.forget(upTo: place.digestedTo)
        try statement(
            """
            SELECT digest, id FROM memories INDEXED BY memories_namespace WHERE namespace_id = ? AND id > ? AND digest IS NOT NULL
            """
        ).bind(place.id).bind(tail.seenTo).eachRow { tail.add($0.int64(0), $0.int64(1)) }
        tails[place.id] = tail
    }

    /// Adds the digest of a new memory.
    func addDigest(_ digest: Int64, of id: Int64, in place: NamespaceState) {
        tailsChanged = true
        tails[place.id]?.add(digest, id)
    }

    /// The ids of memories without a key that may have a digest.
    func ids(ofDigest digest: Int64, in place: NamespaceState) throws(SQLFailure) -> [Int64] {
        let indexed = try statement("SELECT memory_id FROM memory_digests WHERE namespace_id = ? AND digest = ?")
            .bind(place.id).bind(digest).all { $0.int64(0) }
        let newest = tails[place.id]?.ids(of: digest) ?? []
        guard !indexed.isEmpty else { return newest }
        return Set(indexed + newest).sorted()
    }

    /// Merges some of the newest digests into the index, once there are many.
    /// - Parameter stored: how many memories were stored. Four times as many digests are merged, so that the tail is gone before it has
    ///   grown by much.
    func mergeDigests(of place: NamespaceState, stored: Int) throws(SQLFailure) {
        guard var tail = tails[place.id] else { return }
        let threshold = max(leastTail, Int(clamping: place.memories / Self.tailShare))
        let slice = tail.slice(threshold: threshold, limit: max(1, leastTail / 256, 4 * stored))
        guard !slice.isEmpty else { return }
        tailsChanged = true
        for entry in slice {
            // The memory may be gone by now.
            try statement(
                """
                INSERT INTO memory_digests (namespace_id, digest, memory_id) SELECT namespace_id, digest, id FROM memories
                WHERE id = ? AND digest = ? ON CONFLICT DO NOTHING
                """
            ).bind(entry.id).bind(entry.digest).run()
        }
        if let id = tail.finishMerge() {
            try statement("UPDATE namespaces SET digested_to = ? WHERE id = ?").bind(id).bind(place.id).run()
        }
        tails[place.id] = tail
    }
}
