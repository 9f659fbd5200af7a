import AgentQueueStore

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

/// A SHA-256 as four words: kept and compared without an array of its own.
struct CacheKey: Equatable {
    /// What the key is found by; the digest of anything is as good a hash as there is.
    let first: UInt64
    /// What its shard is chosen by.
    let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Makes a key; nil of anything but 32 bytes, which no request has.
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

/// Slots by the time at which they expire: a binary heap that knows where each slot stands, so that any can be taken out.
struct ExpiryOrder {
    private struct Element {
        var time: Int64
        var slot: Int32
    }

    private var heap: [Element] = []
    /// Where a slot stands in the heap.
    private var places: [Int32] = []

    /// The slot that expires first; nil where there is none.
    var first: (time: Int64, slot: Int32)? { heap.first.map { ($0.time, $0.slot) } }

    /// Adds a slot that is not among them.
    mutating func insert(_ slot: Int32, at time: Int64) {
        if Int(slot) == places.count { places.appendTightly(0) }
        heap.appendTightly(Element(time: time, slot: slot))
        places[Int(slot)] = Int32(heap.count - 1)
        rise(heap.count - 1)
    }

    /// Takes out a slot that is among them.
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
    /// Appends, growing by an eighth where `append` would double: what a cache takes is to be close to what it says.
    mutating func appendTightly(_ element: Element) {
        if count == capacity { reserveCapacity(count + count / 8 + 8) }
        append(element)
    }
}
