/// A set of slots of an index, as one bit for each.
struct SlotSet: Sendable, Equatable {
    /// 64 slots to a word. Bits beyond the last slot are clear.
    private(set) var words: [UInt64]
    /// The number of slots, in the set or not.
    let slots: Int

    /// All slots, or none.
    init(slots: Int, all: Bool) {
        self.slots = slots
        words = Array(repeating: all ? .max : 0, count: (slots + 63) / 64)
        clearRest()
    }

    /// The slots whose code has a nonzero verdict.
    /// - Parameters:
    ///   - codes: one for each slot.
    ///   - verdicts: 0 or 1 for each code.
    init(_ codes: [UInt32], where verdicts: [UInt8]) {
        slots = codes.count
        words = Array(unsafeUninitializedCapacity: (codes.count + 63) / 64) { words, count in
            codes.withUnsafeBufferPointer { codes in
                verdicts.withUnsafeBufferPointer { verdicts in
                    for word in 0..<words.count {
                        let start = word &* 64
                        var bits: UInt64 = 0
                        for bit in 0..<min(64, codes.count &- start) {
                            bits |= UInt64(verdicts[Int(codes[start &+ bit])]) &<< UInt64(bit)
                        }
                        words.initializeElement(at: word, to: bits)
                    }
                }
            }
            count = words.count
        }
    }

    /// The number of slots in the set.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    subscript(slot: Int) -> Bool {
        get { words[slot >> 6] >> UInt64(slot & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(slot & 63)
            if newValue { words[slot >> 6] |= bit } else { words[slot >> 6] &= ~bit }
        }
    }

    /// Intersection.
    mutating func formIntersection(_ other: SlotSet) {
        for word in words.indices { words[word] &= other.words[word] }
    }

    /// Union.
    mutating func formUnion(_ other: SlotSet) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    /// Complement.
    mutating func invert() {
        for word in words.indices { words[word] = ~words[word] }
        clearRest()
    }

    private mutating func clearRest() {
        guard slots & 63 != 0, let last = words.indices.last else { return }
        words[last] &= (1 << UInt64(slots & 63)) - 1
    }
}
