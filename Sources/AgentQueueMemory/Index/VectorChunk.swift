import AgentQueueStore
import CAgentQueue
import Glibc

/// The entries of consecutive slots. A written entry never changes, so it can be read while others are added.
final class VectorChunk {
    /// The number of slots: a multiple of a scan segment.
    static let capacity = 1 << 15

    /// The number of values in each vector.
    let dimension: Int
    /// The number of entries.
    private(set) var count = 0
    /// One byte for each dimension.
    let codes: UnsafeMutablePointer<UInt8>
    /// `MemoryEntry.scale` of each entry; the next ones hold its other fields.
    let scales: UnsafeMutablePointer<Float>
    let errors: UnsafeMutablePointer<Float>
    let norms: UnsafeMutablePointer<Float>
    let importances: UnsafeMutablePointer<Float>
    private(set) var numbers: PackedColumn
    private(set) var memoryIDs: PackedColumn
    private(set) var created: PackedColumn
    /// Allocated when the first entry with an expiry is added.
    private(set) var expires: PackedColumn?
    private let memory: MappedMemory
    private var expiryMemory: MappedMemory?

    /// - Parameter isFirst: whether the chunk may stay small. There are many small namespaces, for which half-empty large pages would be
    ///   expensive.
    init(dimension: Int, isFirst: Bool) {
        self.dimension = dimension
        let capacity = Self.capacity
        let memory = MappedMemory(capacity * (dimension + 7 * 4))
        codes = memory.bytes.bindMemory(to: UInt8.self, capacity: capacity * dimension)
        func column<Value>(_ index: Int, of type: Value.Type) -> UnsafeMutablePointer<Value> {
            (memory.bytes + capacity * (dimension + index * 4)).bindMemory(to: type, capacity: capacity)
        }
        scales = column(0, of: Float.self)
        errors = column(1, of: Float.self)
        norms = column(2, of: Float.self)
        importances = column(3, of: Float.self)
        numbers = PackedColumn(column(4, of: UInt32.self), capacity: capacity)
        memoryIDs = PackedColumn(column(5, of: UInt32.self), capacity: capacity)
        created = PackedColumn(column(6, of: UInt32.self), capacity: capacity)
        self.memory = memory
        if !isFirst { memory.preferLargePages() }
    }

    /// Whether all slots are used.
    var isFull: Bool { count == Self.capacity }

    /// Memory use in bytes, counting touched pages by their contents.
    var bytes: Int {
        count * (dimension + 7 * 4 + (expires == nil ? 0 : 4)) + numbers.wideBytes + memoryIDs.wideBytes + created.wideBytes
            + (expires?.wideBytes ?? 0)
    }

    /// The codes of a slot.
    func row(_ slot: Int) -> UnsafePointer<UInt8> { UnsafePointer(codes + slot * dimension) }

    /// Whether the entry of a slot has expired at a given time.
    func isExpired(_ slot: Int, now: Int64) -> Bool { expires.map { $0[slot] <= now } ?? false }

    /// Adds an entry. The chunk must not be full.
    func append(_ entry: MemoryEntry, codes from: UnsafePointer<UInt8>) {
        if count == (2 << 20) / dimension { memory.preferLargePages() }
        (codes + count * dimension).update(from: from, count: dimension)
        scales[count] = entry.scale
        errors[count] = entry.error
        norms[count] = entry.norm
        importances[count] = entry.importance
        numbers.append(entry.number, at: count)
        memoryIDs.append(entry.memoryID, at: count)
        created.append(entry.createdAt, at: count)
        appendExpiry(entry.expiresAt)
        count += 1
    }

    private func appendExpiry(_ time: Int64) {
        if expires == nil, time != .max {
            let memory = MappedMemory(Self.capacity * 4)
            var column = PackedColumn(memory.bytes.bindMemory(to: UInt32.self, capacity: Self.capacity), capacity: Self.capacity)
            for slot in 0..<count { column.append(.max, at: slot) }
            expires = column
            expiryMemory = memory
        }
        expires?.append(time, at: count)
    }

    /// The entry of a slot.
    func entry(_ slot: Int) -> MemoryEntry {
        MemoryEntry(
            number: numbers[slot], memoryID: memoryIDs[slot], expiresAt: expires?[slot] ?? .max, createdAt: created[slot],
            importance: importances[slot], scale: scales[slot], error: errors[slot], norm: norms[slot])
    }
}

/// A whole number for each slot of a chunk, in 4 bytes as long as all are within 2^31 (24 days in milliseconds) of the first.
///
/// The largest value means "never", and is kept as such.
struct PackedColumn {
    private let narrow: UnsafeMutablePointer<UInt32>
    private let capacity: Int
    /// Eight bytes each, once four are not enough.
    private var wide: MappedMemory?
    private var base: Int64?

    /// Uses memory with room for `capacity` numbers of 4 bytes.
    init(_ narrow: UnsafeMutablePointer<UInt32>, capacity: Int) {
        self.narrow = narrow
        self.capacity = capacity
    }

    /// Memory use in bytes beyond the 4 bytes for each slot.
    var wideBytes: Int { wide == nil ? 0 : capacity * 8 }

    /// The number of a slot.
    subscript(_ slot: Int) -> Int64 {
        if let wide { return wide.bytes.assumingMemoryBound(to: Int64.self)[slot] }
        return narrow[slot] == .max ? .max : Int64(narrow[slot]) &+ (base ?? 0)
    }

    /// Writes the number of the next slot. Slots are written in order.
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

/// Whole pages of zeroed memory. Untouched pages take none, and released memory goes back to the system at once.
final class MappedMemory {
    /// The start of the mapping: a multiple of 2 MiB, so that huge pages fit.
    let bytes: UnsafeMutableRawPointer
    private let count: Int
    private let whole: (start: UnsafeMutableRawPointer, count: Int)

    private static let largePage = 2 << 20

    /// Maps `count` bytes. Traps if there is no memory, like every allocation in Swift.
    init(_ count: Int) {
        let mapped = count + Self.largePage
        let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let start, start != MAP_FAILED else { preconditionFailure("no memory for vectors") }
        bytes = start.alignedUp(toMultipleOf: Self.largePage)
        self.count = count
        whole = (start, mapped)
    }

    deinit { munmap(whole.start, whole.count) }

    /// Asks for huge pages, which a scan reads faster, for memory touched from now on. Worthwhile if most of it will be touched.
    func preferLargePages() { madvise(bytes, count, MADV_HUGEPAGE) }
}
