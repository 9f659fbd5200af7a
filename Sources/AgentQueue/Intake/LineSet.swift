/// A set of line numbers, at a bit each: a million bad lines take 125 KB.
struct LineSet: Sendable, Equatable {
    private var words: [UInt64] = []
    /// How many it holds.
    private(set) var count = 0

    func contains(_ number: Int) -> Bool {
        let word = number >> 6
        return word < words.count && words[word] & (1 << UInt64(number & 63)) != 0
    }

    mutating func insert(_ number: Int) {
        guard !contains(number) else { return }
        let word = number >> 6
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(number & 63)
        count += 1
    }
}
