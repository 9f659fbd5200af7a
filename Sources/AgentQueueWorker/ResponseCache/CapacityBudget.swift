import Synchronization

/// The room that answers may take, counted by all threads at once. CapacityBudget is taken before an answer is kept, and given back after
/// it is gone: what is kept never exceeds what is taken, and what is taken never exceeds the limits.
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

    /// Whether an answer fits at all.
    func admits(_ size: Int64) -> Bool { maxEntries > 0 && size <= maxBytes }

    /// What is not taken.
    var left: (entries: Int, bytes: Int64) { (Int(maxEntries - entries), maxBytes - bytes) }

    /// Takes the room of one answer; false, and nothing taken, where there is not enough.
    func take(_ size: Int64) -> Bool {
        guard Self.add(1, to: takenEntries, atMost: maxEntries) else { return false }
        guard Self.add(size, to: takenBytes, atMost: maxBytes) else {
            takenEntries.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Gives back the room of answers that are gone.
    func give(_ freed: Released) {
        guard freed.entries > 0 else { return }
        takenBytes.wrappingSubtract(freed.bytes, ordering: .relaxed)
        takenEntries.wrappingSubtract(freed.entries, ordering: .relaxed)
    }

    /// Adds to a counter unless that would exceed its limit.
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

/// CapacityBudget that answers took which are gone.
struct Released {
    var entries: Int64 = 0
    var bytes: Int64 = 0

    /// An answer is gone that took so many bytes; nil: none is.
    mutating func add(_ size: Int64?) {
        guard let size else { return }
        entries += 1
        bytes += size
    }
}
