/// A whole number for each slot of a chunk, in 4 bytes as long as they lie within 24 days of milliseconds (2^31) of the first.
///
/// The largest number of all stands for "never", and is kept as such.
struct PackedColumn {
    private let narrow: UnsafeMutablePointer<UInt32>
    private let capacity: Int
    /// Eight bytes each, once four are not enough.
    private var wide: MappedMemory?
    private var base: Int64?

    /// Makes one in memory that has room for `capacity` numbers of 4 bytes.
    init(_ narrow: UnsafeMutablePointer<UInt32>, capacity: Int) {
        self.narrow = narrow
        self.capacity = capacity
    }

    /// What it takes besides the 4 bytes a slot, in bytes.
    var wideBytes: Int { wide == nil ? 0 : capacity * 8 }

    /// The number of a slot.
    subscript(_ slot: Int) -> Int64 {
        if let wide { return wide.bytes.assumingMemoryBound(to: Int64.self)[slot] }
        return narrow[slot] == .max ? .max : Int64(narrow[slot]) &+ (base ?? 0)
    }

    /// Writes the number of a slot, after those of all before it.
    mutating func append(_ value: Int64, at slot: Int) {
        if wide == nil {
            if base == nil, value != .max { base = value &- 1 << 31 }
            if let packed = packed(value) {
                narrow[slot] = packed
                return
            }
            widen(slot)
        }
        wide?.bytes.assumingMemoryBound(to: Int64.self)[slot] = value
    }

    private func packed(_ value: Int64) -> UInt32? {
        if value == .max { return .max }
        let (offset, overflow) = value.subtractingReportingOverflow(base ?? 0)
        return !overflow && offset >= 0 && offset < Int64(UInt32.max) ? UInt32(offset) : nil
    }

    private mutating func widen(_ count: Int) {
        let memory = MappedMemory(capacity * 8)
        let values = memory.bytes.bindMemory(to: Int64.self, capacity: capacity)
        for slot in 0..<count { values[slot] = self[slot] }
        wide = memory
    }
}
