import AgentQueueStore
import CAgentQueue
import Glibc

/// The entries of some slots, one after the other: what was written of one is never changed, so it may be read while others are added.
final class VectorChunk {
    /// How many slots it has. A multiple of what is scanned at once.
    static let capacity = 1 << 15

    /// How many values each vector has.
    let dimension: Int
    /// How many entries it holds.
    private(set) var count = 0
    /// A byte a dimension.
    let codes: UnsafeMutablePointer<UInt8>
    /// `MemoryEntry.scale` of each, and so on.
    let scales: UnsafeMutablePointer<Float>
    let errors: UnsafeMutablePointer<Float>
    let norms: UnsafeMutablePointer<Float>
    let importances: UnsafeMutablePointer<Float>
    private(set) var numbers: PackedColumn
    private(set) var memoryIDs: PackedColumn
    private(set) var created: PackedColumn
    /// Made where the first expires.
    private(set) var expires: PackedColumn?
    private let memory: MappedMemory
    private var expiryMemory: MappedMemory?

    /// Makes an empty one.
    /// - Parameter isFirst: whether it may stay small. Small namespaces are many, and large pages that are half empty cost them much.
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

    /// Whether it has no slot left.
    var isFull: Bool { count == Self.capacity }

    /// What it takes, in bytes, where all pages that it has touched are counted by what is in them.
    var bytes: Int {
        count * (dimension + 7 * 4 + (expires == nil ? 0 : 4)) + numbers.wideBytes + memoryIDs.wideBytes + created.wideBytes
            + (expires?.wideBytes ?? 0)
    }

    /// Where the codes of a slot are.
    func row(_ slot: Int) -> UnsafePointer<UInt8> { UnsafePointer(codes + slot * dimension) }

    /// Whether the entry of a slot has expired by a time.
    func isExpired(_ slot: Int, now: Int64) -> Bool { expires.map { $0[slot] <= now } ?? false }

    /// Adds an entry; there is a slot left.
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

/// Memory of whole pages, zero at first. What is not touched takes none, and what is given back goes back to the system at once.
final class MappedMemory {
    /// Where it begins: a multiple of 2 MiB, so that large pages fit.
    let bytes: UnsafeMutableRawPointer
    private let count: Int
    private let whole: (start: UnsafeMutableRawPointer, count: Int)

    private static let largePage = 2 << 20

    /// Maps so many bytes. Ends the process where there is no more memory, as every allocation in Swift does.
    init(_ count: Int) {
        let mapped = count + Self.largePage
        let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let start, start != MAP_FAILED else { preconditionFailure("no memory for vectors") }
        bytes = start.alignedUp(toMultipleOf: Self.largePage)
        self.count = count
        whole = (start, mapped)
    }

    deinit { munmap(whole.start, whole.count) }

    /// Asks for large pages, which a scan gets through faster, for what is touched from now on: worth it where most of it will be.
    func preferLargePages() { madvise(bytes, count, MADV_HUGEPAGE) }
}
