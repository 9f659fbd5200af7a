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
