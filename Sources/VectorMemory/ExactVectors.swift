/// The exact vectors that a search has fetched of a small index: the next need not fetch them again.
struct ExactVectors {
    /// The most that an index' vectors take in all for them to be kept, in bytes.
    static let limit = 64 << 20

    private let stride: Int
    private var memory: MappedMemory?
    /// A bit a slot.
    private var kept: [UInt64] = []
    private var count = 0

    /// Makes an empty one.
    init(dimension: Int) { stride = dimension * MemoryLayout<Float>.size }

    /// What it takes, in bytes.
    var bytes: Int { count * stride }

    /// The vector of a slot; nil where it is not kept.
    func vector(_ slot: Int) -> UnsafeRawPointer? {
        guard let memory, slot / 64 < kept.count, kept[slot / 64] & 1 << UInt64(slot % 64) != 0 else { return nil }
        return UnsafeRawPointer(memory.bytes) + slot * stride
    }

    /// Keeps the vector of a slot, unless there are so many slots that none are kept.
    mutating func keep(_ vector: UnsafeRawBufferPointer, slot: Int, of slots: Int) {
        guard slots * stride <= Self.limit, let start = vector.baseAddress, vector.count == stride else {
            (memory, kept, count) = (nil, [], 0)
            return
        }
        let memory = memory ?? MappedMemory(Self.limit)
        self.memory = memory
        while kept.count <= slot / 64 { kept.append(0) }
        guard kept[slot / 64] & 1 << UInt64(slot % 64) == 0 else { return }
        (memory.bytes + slot * stride).copyMemory(from: start, byteCount: stride)
        kept[slot / 64] |= 1 << UInt64(slot % 64)
        count += 1
    }
}
