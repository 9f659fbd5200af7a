/// An entry of a block: the memory that a vector belongs to, and the fields that a search reads of every entry.
///
/// Stored in 48 bytes, little-endian: number, memory, expires, created (Int64 each), importance, scale, error, norm (Float32 each).
package struct MemoryEntry: Sendable, Equatable {
    package static let byteCount = 48

    /// Larger than the number of any entry committed before.
    package var number: Int64
    package var memoryID: Int64
    /// When the memory expires (wall clock, ms); `Int64.max` is never.
    package var expiresAt: Int64
    /// When the memory was created (wall clock, ms).
    package var createdAt: Int64
    /// How important the memory is, 0 to 1.
    package var importance: Float
    /// `MemoryVector.scale`.
    package var scale: Float
    /// `MemoryVector.error`.
    package var error: Float
    /// `MemoryVector.norm`.
    package var norm: Float

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

/// An entry to be written: its head, and the bytes of its codes and values.
struct NewEntry {
    var head: MemoryEntry
    var codes: [UInt8]
    /// Float32, little-endian.
    var values: [UInt8]

    init(_ vector: MemoryVector, number: Int64, memory: Int64, importance: Double, createdAt: Int64, expiresAt: Int64?) {
        head = MemoryEntry(
            number: number, memoryID: memory, expiresAt: expiresAt ?? .max, createdAt: createdAt, importance: Float(importance),
            scale: vector.scale, error: vector.error, norm: vector.norm)
        codes = vector.codes
        values = vector.bytes
    }

    /// An entry in its stored form.
    init(head: MemoryEntry, codes: [UInt8], values: [UInt8]) {
        self.head = head
        self.codes = codes
        self.values = values
    }
}

/// Entries in the order of their numbers, with their codes, as stored in the database. Valid only during the call that passes it.
package struct MemoryBlock {
    /// 48 bytes per entry.
    package let heads: UnsafeRawBufferPointer
    /// One byte per dimension, entry after entry.
    package let codes: UnsafeRawBufferPointer

    package var count: Int { heads.count / MemoryEntry.byteCount }

    package init(heads: UnsafeRawBufferPointer, codes: UnsafeRawBufferPointer) {
        self.heads = heads
        self.codes = codes
    }

    /// The entry at an index, from 0.
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

/// A change that an in-memory index must apply.
package enum MemoryChange {
    /// New entries. Some may already be known. Some may be dead: those whose memory has a `forgotten` change with a larger number.
    case entries(MemoryBlock)
    /// All entries of a memory with smaller numbers are dead.
    case forgotten(memoryID: Int64, number: Int64)
}
