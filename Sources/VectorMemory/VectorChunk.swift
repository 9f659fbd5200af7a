import CPlatform
import QueueStore

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
