import QueueStore

extension ResponseCache {
    /// Loads the store's most popular answers (`QueueStore.popularCacheEntries`) until nothing more fits; what is here already stays. The
    /// most popular count as the latest used. Returns how many were loaded.
    /// - Throws: `StoreError`.
    @discardableResult
    public func warm(from store: QueueStore) throws -> Int {
        var (entries, bytes) = roomLeft
        var chosen: [(digest: [UInt8], reply: CachedReply)] = []
        for entry in try store.popularCacheEntries(limit: entries, bytes: bytes) {
            let size = RecencyList.size(of: entry.reply)
            guard entries > 0, size <= bytes else { continue }
            entries -= 1
            bytes -= size
            chosen.append(entry)
        }
        for entry in chosen.reversed() { insert(entry.digest, entry.reply) }
        return chosen.count
    }
}
