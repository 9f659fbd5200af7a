/// Entries in the order of their numbers, with their codes, as they lie in the database. Valid during the call that gives it alone.
public struct MemoryBlock {
    /// 48 bytes an entry.
    public let heads: UnsafeRawBufferPointer
    /// A byte a dimension and entry, one entry after the other.
    public let codes: UnsafeRawBufferPointer

    /// How many entries it has.
    public var count: Int { heads.count / MemoryEntry.byteCount }

    /// Makes one.
    public init(heads: UnsafeRawBufferPointer, codes: UnsafeRawBufferPointer) {
        self.heads = heads
        self.codes = codes
    }

    /// The entry at a place, from 0.
    public func entry(_ index: Int) -> MemoryEntry {
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
