/// An entry of a block: which memory a vector belongs to, and what a search asks of every one.
///
/// Stored in 48 bytes, little-endian: number, memory, expires, created (Int64 each), importance, scale, error, norm (Float32 each).
package struct MemoryEntry: Sendable, Equatable {
    /// How many bytes it takes.
    package static let byteCount = 48

    /// Its number: larger than that of all that was committed before.
    package var number: Int64
    /// The memory's id.
    package var memoryID: Int64
    /// When the memory is forgotten (wall clock, ms); `Int64.max` is never.
    package var expiresAt: Int64
    /// When the memory was made (wall clock, ms).
    package var createdAt: Int64
    /// How much the memory matters, 0 to 1.
    package var importance: Float
    /// `MemoryVector.scale`.
    package var scale: Float
    /// `MemoryVector.error`.
    package var error: Float
    /// `MemoryVector.norm`.
    package var norm: Float

    /// Makes one.
    package init(
        number: Int64, memoryID: Int64, expiresAt: Int64, createdAt: Int64, importance: Float, scale: Float, error: Float, norm: Float
    ) {
        self.number = number
        self.memoryID = memoryID
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.importance = importance
        self.scale = scale
        self.error = error
        self.norm = norm
    }
}

/// An entry that is to be written: its head, and the bytes of its codes and values.
struct NewEntry {
    var head: MemoryEntry
    var codes: [UInt8]
    /// Float32, little-endian.
    var values: [UInt8]

    /// The entry of a vector.
    init(_ vector: MemoryVector, number: Int64, memory: Int64, importance: Double, createdAt: Int64, expiresAt: Int64?) {
        head = MemoryEntry(
            number: number, memoryID: memory, expiresAt: expiresAt ?? .max, createdAt: createdAt, importance: Float(importance),
            scale: vector.scale, error: vector.error, norm: vector.norm)
        codes = vector.codes
        values = vector.bytes
    }

    /// An entry as it is stored.
    init(head: MemoryEntry, codes: [UInt8], values: [UInt8]) {
        self.head = head
        self.codes = codes
        self.values = values
    }
}

/// Entries in the order of their numbers, with their codes, as they lie in the database. Valid during the call that gives it alone.
package struct MemoryBlock {
    /// 48 bytes an entry.
    package let heads: UnsafeRawBufferPointer
    /// A byte a dimension and entry, one entry after the other.
    package let codes: UnsafeRawBufferPointer

    /// How many entries it has.
    package var count: Int { heads.count / MemoryEntry.byteCount }

    /// Makes one.
    package init(heads: UnsafeRawBufferPointer, codes: UnsafeRawBufferPointer) {
        self.heads = heads
        self.codes = codes
    }

    /// The entry at a place, from 0.
    package func entry(_ index: Int) -> MemoryEntry {
        let at = index * MemoryEntry.byteCount
        func long(_ offset: Int) -> Int64 { Int64(littleEndian: heads.loadUnaligned(fromByteOffset: at + offset, as: Int64.self)) }
        func float(_ offset: Int) -> Float {
            Float(bitPattern: UInt32(littleEndian: heads.loadUnaligned(fromByteOffset: at + offset, as: UInt32.self)))
        }
        return MemoryEntry(
            number: long(0), memoryID: long(8), expiresAt: long(16), createdAt: long(24), importance: float(32), scale: float(36),
            error: float(40), norm: float(44))
    }
}

/// What an index in memory must follow.
package enum MemoryChange {
    /// New entries. Some may be known already, and some dead: those whose memory a change with a larger number names.
    case entries(MemoryBlock)
    /// All entries of a memory with smaller numbers are dead.
    case forgotten(memoryID: Int64, number: Int64)
}
