/// Places of an index: a bit for each.
struct SlotSet: Sendable, Equatable {
    /// 64 places to a word; bits beyond the last place are clear.
    private(set) var words: [UInt64]
    /// How many places there are.
    let slots: Int

    /// All places, or none.
    init(slots: Int, all: Bool) {
        self.slots = slots
        words = Array(repeating: all ? .max : 0, count: (slots + 63) / 64)
        clearRest()
    }

    /// The places whose code has a verdict other than 0.
    /// - Parameters:
    ///   - codes: one a place.
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

    /// How many places are in it.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether a place is in it.
    subscript(slot: Int) -> Bool {
        get { words[slot >> 6] >> UInt64(slot & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(slot & 63)
            if newValue { words[slot >> 6] |= bit } else { words[slot >> 6] &= ~bit }
        }
    }

    /// Keeps what is in the other too.
    mutating func formIntersection(_ other: SlotSet) {
        for word in words.indices { words[word] &= other.words[word] }
    }

    /// Takes in what is in the other.
    mutating func formUnion(_ other: SlotSet) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    /// Keeps what was not in it.
    mutating func invert() {
        for word in words.indices { words[word] = ~words[word] }
        clearRest()
    }

    private mutating func clearRest() {
        guard slots & 63 != 0, let last = words.indices.last else { return }
        words[last] &= (1 << UInt64(slots & 63)) - 1
    }
}
