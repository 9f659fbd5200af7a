import Synchronization

/// How many answers a cache may keep, and of what size together, counted by all threads. Capacity is taken before an answer is stored and
/// given back after it is removed, so that the cache never exceeds its limits.
struct CapacityBudget: ~Copyable {
    private let maxEntries: Int64
    private let maxBytes: Int64
    private let takenEntries = Atomic<Int64>(0)
    private let takenBytes = Atomic<Int64>(0)

    init(maxEntries: Int, maxBytes: Int64) {
        self.maxEntries = Int64(max(0, maxEntries))
        self.maxBytes = max(0, maxBytes)
    }

    var entries: Int64 { takenEntries.load(ordering: .relaxed) }
    var bytes: Int64 { takenBytes.load(ordering: .relaxed) }

    /// Whether an answer of a size could fit into an empty cache.
    func admits(_ size: Int64) -> Bool { maxEntries > 0 && size <= maxBytes }

    /// The capacity that is free.
    var left: (entries: Int, bytes: Int64) { (Int(maxEntries - entries), maxBytes - bytes) }

    /// Takes the capacity for one answer. Returns false, and takes nothing, if there is not enough.
    func take(_ size: Int64) -> Bool {
        guard Self.add(1, to: takenEntries, atMost: maxEntries) else { return false }
        guard Self.add(size, to: takenBytes, atMost: maxBytes) else {
            takenEntries.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Gives back the capacity of removed answers.
    func give(_ freed: Released) {
        guard freed.entries > 0 else { return }
        takenBytes.wrappingSubtract(freed.bytes, ordering: .relaxed)
        takenEntries.wrappingSubtract(freed.entries, ordering: .relaxed)
    }

    /// Adds to a counter, unless it would exceed its limit.
    private static func add(_ amount: Int64, to counter: borrowing Atomic<Int64>, atMost limit: Int64) -> Bool {
        var seen = counter.load(ordering: .relaxed)
        while seen <= limit - amount {
            let (exchanged, original) = counter.weakCompareExchange(expected: seen, desired: seen + amount, ordering: .relaxed)
            if exchanged { return true }
            seen = original
        }
        return false
    }
}

/// The capacity that removed answers had taken.
struct Released {
    var entries: Int64 = 0
    var bytes: Int64 = 0

    /// Counts a removed answer of a size in bytes; nil if none was removed.
    mutating func add(_ size: Int64?) {
        guard let size else { return }
        entries += 1
        bytes += size
    }
}
