import AgentQueueStore

/// Answers in the order of their use: one shard of a ``ResponseCache``, without its lock, clock and limits.
///
/// It is a doubly linked list whose links are indexes into one array, with a dictionary to find them, so there is no object per answer.
/// Each use has a *tick*, a number that never decreases, so that several lists can compare their oldest answers.
struct RecencyList {
    private struct Node {
        var key: CacheKey
        var reply: CachedReply
        var size: Int64
    }

    /// A node's neighbours. Kept apart from the nodes for locality: a use changes the links of its neighbours too.
    private struct Link {
        var newer: Int32
        /// The next older node; for a free node, the next free one.
        var older: Int32
        var tick: UInt64
    }

    private static let none: Int32 = -1
    private static let nothing = CachedReply(
        reply: "", target: "", inputTokens: 0, outputTokens: 0, cost: 0, createdAt: 0, expiresAt: 0)

    private var nodes: [Node] = []
    private var links: [Link] = []
    /// By the first eight bytes of the digest. If two digests ever shared them, the newer answer would stay.
    private var slots: [UInt64: Int32] = [:]
    private var expiry = ExpiryOrder()
    /// The targets' names, shared by the answers.
    private var targets: Set<String> = []
    private var newest = Self.none
    private var oldest = Self.none
    private var free = Self.none

    /// The number of answers.
    var count: Int { slots.count }
    /// Their size in bytes.
    private(set) var bytes: Int64 = 0
    /// The tick of the least recently used answer; `.max` if there is none.
    var oldestTick: UInt64 { oldest == Self.none ? .max : links[Int(oldest)].tick }
    /// When the first answer expires (wall clock, ms); `.max` if there is none.
    var firstExpiry: Int64 { expiry.first?.time ?? .max }
    /// The number of nodes, used or free; for tests.
    var nodeCount: Int { nodes.count }
    /// The digests, most recently used first; for tests.
    var keys: [CacheKey] {
        var keys: [CacheKey] = []
        var slot = newest
        while slot != Self.none {
            keys.append(nodes[Int(slot)].key)
            slot = links[Int(slot)].older
        }
        return keys
    }

    /// The memory an answer uses besides its texts, in bytes: its node, its entries in the dictionary and in the order of expiry, and the
    /// allocator's overhead. Measured with `mallinfo2` for 1,000 to 59,000 answers: 216 to 236 bytes, depending on how full the tables are;
    /// 137 to 180 for a text that is short enough to need no allocation.
    static let overhead: Int64 = 240

    /// The size of an answer in bytes.
    static func size(of reply: CachedReply) -> Int64 { Int64(reply.reply.utf8.count + reply.target.utf8.count) + overhead }

    /// The slot of an answer; nil if there is none.
    func slot(of key: CacheKey) -> Int32? {
        guard let slot = slots[key.first], nodes[Int(slot)].key == key else { return nil }
        return slot
    }

    /// The answer in a slot.
    func reply(in slot: Int32) -> CachedReply { nodes[Int(slot)].reply }

    /// When the answer in a slot was written, and when it expires (wall clock, ms).
    func times(of slot: Int32) -> (written: Int64, expiry: Int64) {
        (nodes[Int(slot)].reply.createdAt, nodes[Int(slot)].reply.expiresAt)
    }

    /// Whether the answer in a slot is the least recently used one.
    func isOldest(_ slot: Int32) -> Bool { slot == oldest }

    /// The size of the answer in a slot, in bytes.
    func size(of slot: Int32) -> Int64 { nodes[Int(slot)].size }

    /// Records a use of the answer in a slot.
    mutating func use(_ slot: Int32, tick: UInt64) {
        links[Int(slot)].tick = tick
        guard slot != newest else { return }
        unlink(slot)
        link(slot)
    }

    /// Adds an answer as the most recently used one. Returns the size of the answer that it replaces; nil if there was none.
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

    /// Removes the answer in a slot. Returns its size in bytes.
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

    /// Removes the least recently used answer. Returns its size in bytes; nil if there is none.
    mutating func removeOldest() -> Int64? { oldest == Self.none ? nil : remove(oldest) }

    /// Removes an expired answer. Returns its size in bytes; nil if there is none.
    mutating func removeExpired(now: Int64) -> Int64? {
        guard let (time, slot) = expiry.first, time <= now else { return nil }
        return remove(slot)
    }

    /// Frees the memory of unused nodes, which remain when fewer and larger answers have replaced many small ones.
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

    /// The answer with a shared name of its target: one text instead of many, and fewer cache misses.
    private mutating func sharingTarget(_ reply: CachedReply) -> CachedReply {
        var reply = reply
        // Configurations name few models. With more of them, only later answers share a name.
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

/// A SHA-256 digest as four words, stored and compared without an array.
struct CacheKey: Equatable {
    /// The hash for lookups: a digest's bytes are a perfect hash.
    let first: UInt64
    /// Selects the shard.
    let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Makes a key; nil for anything but 32 bytes.
    init?(_ digest: [UInt8]) {
        guard digest.count == 32 else { return nil }
        (first, second, third, fourth) = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }
}

/// Slots by the time at which they expire: a binary heap with an index, so that any slot can be removed.
struct ExpiryOrder {
    private struct Element {
        var time: Int64
        var slot: Int32
    }

    private var heap: [Element] = []
    /// The position of each slot in the heap.
    private var places: [Int32] = []

    /// The slot that expires first; nil if there is none.
    var first: (time: Int64, slot: Int32)? { heap.first.map { ($0.time, $0.slot) } }

    /// Adds a slot that is not in the heap.
    mutating func insert(_ slot: Int32, at time: Int64) {
        if Int(slot) == places.count { places.appendTightly(0) }
        heap.appendTightly(Element(time: time, slot: slot))
        places[Int(slot)] = Int32(heap.count - 1)
        rise(heap.count - 1)
    }

    /// Removes a slot that is in the heap.
    mutating func remove(_ slot: Int32) {
        let place = Int(places[Int(slot)])
        let last = heap.removeLast()
        guard place < heap.count else { return }
        put(last, at: place)
        rise(place)
        sink(Int(places[Int(last.slot)]))
    }

    private mutating func put(_ element: Element, at place: Int) {
        heap[place] = element
        places[Int(element.slot)] = Int32(place)
    }

    private mutating func rise(_ start: Int) {
        var place = start
        let element = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard element.time < heap[parent].time else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(element, at: place)
    }

    private mutating func sink(_ start: Int) {
        var place = start
        let element = heap[place]
        while true {
            var child = place * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < element.time else { break }
            put(heap[child], at: place)
            place = child
        }
        put(element, at: place)
    }
}

extension Array {
    /// Appends, growing by an eighth where `append` would double the capacity, so that the cache uses little more memory than it reports.
    mutating func appendTightly(_ element: Element) {
        if count == capacity { reserveCapacity(count + count / 8 + 8) }
        append(element)
    }
}
