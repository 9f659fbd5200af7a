import QueueStore

/// Answers in the order of their use: one shard of a ``ResponseCache``, without its lock, its clock or its limits.
///
/// A doubly linked list whose links are places in one array, and a dictionary that finds them: no object per answer. Each use
/// brings a *tick*, a number that never falls, so that several lists can tell whose oldest answer is the oldest.
struct RecencyList {
    private struct Node {
        var key: CacheKey
        var reply: CachedReply
        var size: Int64
    }

    /// A node's place in the order. Apart from the nodes, so that a use, which changes those of its neighbours, finds them together.
    private struct Link {
        var newer: Int32
        /// The next older one; of a free node, the next free one.
        var older: Int32
        var tick: UInt64
    }

    private static let none: Int32 = -1
    private static let nothing = CachedReply(
        reply: "", target: "", inputTokens: 0, outputTokens: 0, cost: 0, createdAt: 0, expiresAt: 0)

    private var nodes: [Node] = []
    private var links: [Link] = []
    /// By the digest's first eight bytes. Of two that share them, which chance will not bring about, the newer stays.
    private var slots: [UInt64: Int32] = [:]
    private var expiry = ExpiryOrder()
    /// The names of what answered, once each: answers share them.
    private var targets: Set<String> = []
    private var newest = Self.none
    private var oldest = Self.none
    private var free = Self.none

    /// How many answers there are.
    var count: Int { slots.count }
    /// What they take, in bytes.
    private(set) var bytes: Int64 = 0
    /// The tick of the one that was not used for the longest; `.max` where there is none.
    var oldestTick: UInt64 { oldest == Self.none ? .max : links[Int(oldest)].tick }
    /// When the first of them expires (wall clock, ms); `.max` where there is none.
    var firstExpiry: Int64 { expiry.first?.time ?? .max }
    /// How many nodes there is room for, used or not; for tests.
    var nodeCount: Int { nodes.count }
    /// The digests, latest used first; for tests.
    var keys: [CacheKey] {
        var keys: [CacheKey] = []
        var slot = newest
        while slot != Self.none {
            keys.append(nodes[Int(slot)].key)
            slot = links[Int(slot)].older
        }
        return keys
    }

    /// What an answer takes in memory besides its texts, in bytes: its node, its places in the dictionary and in the order of
    /// expiry, and what the allocator adds to its text. Measured with `mallinfo2`, 1,000 to 59,000 answers: 216 to 236 bytes by how
    /// full the tables happen to be, and 137 to 180 for a text so short that it needs no allocation.
    static let overhead: Int64 = 240

    /// What an answer takes, in bytes.
    static func size(of reply: CachedReply) -> Int64 { Int64(reply.reply.utf8.count + reply.target.utf8.count) + overhead }

    /// Where an answer is; nil where it is not.
    func slot(of key: CacheKey) -> Int32? {
        guard let slot = slots[key.first], nodes[Int(slot)].key == key else { return nil }
        return slot
    }

    /// The answer of a slot.
    func reply(in slot: Int32) -> CachedReply { nodes[Int(slot)].reply }

    /// When the answer of a slot was written, and when it expires (wall clock, ms).
    func times(of slot: Int32) -> (written: Int64, expiry: Int64) {
        (nodes[Int(slot)].reply.createdAt, nodes[Int(slot)].reply.expiresAt)
    }

    /// Whether the answer of a slot was not used for the longest.
    func isOldest(_ slot: Int32) -> Bool { slot == oldest }

    /// What the answer of a slot takes, in bytes.
    func size(of slot: Int32) -> Int64 { nodes[Int(slot)].size }

    /// Notes that the answer of a slot was used.
    mutating func use(_ slot: Int32, tick: UInt64) {
        links[Int(slot)].tick = tick
        guard slot != newest else { return }
        unlink(slot)
        link(slot)
    }

    /// Adds an answer as the latest used one. Returns what the one took whose place it takes, in bytes; nil where there was none.
    @discardableResult
    mutating func insert(_ key: CacheKey, _ reply: CachedReply, size: Int64, tick: UInt64) -> Int64? {
        let replaced = slots[key.first].map { remove($0) }
        let node = Node(key: key, reply: sharingTarget(reply), size: size)
        let slot: Int32
        if free != Self.none {
            slot = free
            free = links[Int(slot)].older
            nodes[Int(slot)] = node
            links[Int(slot)].tick = tick
        } else {
            slot = Int32(nodes.count)
            nodes.appendTightly(node)
            links.appendTightly(Link(newer: Self.none, older: Self.none, tick: tick))
        }
        slots[key.first] = slot
        expiry.insert(slot, at: reply.expiresAt)
        link(slot)
        bytes += size
        return replaced
    }

    /// Takes out the answer of a slot. Returns what it took, in bytes.
    @discardableResult
    mutating func remove(_ slot: Int32) -> Int64 {
        let size = nodes[Int(slot)].size
        unlink(slot)
        slots.removeValue(forKey: nodes[Int(slot)].key.first)
        expiry.remove(slot)
        nodes[Int(slot)].reply = Self.nothing
        links[Int(slot)].older = free
        free = slot
        bytes -= size
        if nodes.count > 64, count < nodes.count / 4 { shrink() }
        return size
    }

    /// Takes out the answer that was not used for the longest. Returns what it took, in bytes; nil where there is none.
    mutating func removeOldest() -> Int64? { oldest == Self.none ? nil : remove(oldest) }

    /// Takes out an answer that has expired. Returns what it took, in bytes; nil where there is none.
    mutating func removeExpired(now: Int64) -> Int64? {
        guard let (time, slot) = expiry.first, time <= now else { return nil }
        return remove(slot)
    }

    /// Gives back the room of nodes that are no longer used: fewer, larger answers have taken their place.
    private mutating func shrink() {
        var smaller = RecencyList()
        var slot = oldest
        while slot != Self.none {
            let (node, link) = (nodes[Int(slot)], links[Int(slot)])
            smaller.insert(node.key, node.reply, size: node.size, tick: link.tick)
            slot = link.newer
        }
        self = smaller
    }

    /// The answer with the name that others have too: one text of many, and fewer places in memory to visit.
    private mutating func sharingTarget(_ reply: CachedReply) -> CachedReply {
        var reply = reply
        // Configurations name a few models. Where there are more, they share with those that follow.
        if targets.count >= 64 { targets.removeAll() }
        reply.target = targets.insert(reply.target).memberAfterInsert
        return reply
    }

    private mutating func link(_ slot: Int32) {
        links[Int(slot)].newer = Self.none
        links[Int(slot)].older = newest
        if newest != Self.none { links[Int(newest)].newer = slot } else { oldest = slot }
        newest = slot
    }

    private mutating func unlink(_ slot: Int32) {
        let (newer, older) = (links[Int(slot)].newer, links[Int(slot)].older)
        if newer != Self.none { links[Int(newer)].older = older } else { newest = older }
        if older != Self.none { links[Int(older)].newer = newer } else { oldest = newer }
    }
}
