import AgentQueueModel

/// The `custom_id`s of a file, to find one that is used twice: the answers to its lines could not be told apart. Each is kept as a hash of
/// 64 bits with a key that is new in each process. Among a million ids, two have the same hash by chance once in thirty million runs.
struct CustomIDSet {
    /// A line's id.
    struct Element: Sendable {
        /// The line's index in its block.
        let index: Int
        let hash: Int

        init(index: Int, id: String) {
            self.index = index
            hash = ExactText(id).hashValue
        }
    }

    /// The most ids in one file, which take some 130 MB. The vendors take 100,000 lines.
    private static let maxCount = 8_000_000

    static let repeated = InputError("the custom_id is that of an earlier line; give every line its own", kind: .badData)

    private var hashes: Set<Int> = []

    /// Adds the ids of a block.
    /// - Returns: the indices of lines whose id an earlier line has.
    /// - Throws: `InputError` if there are too many.
    mutating func repeated(in elements: [Element]) throws(InputError) -> [Int] {
        var indices: [Int] = []
        for element in elements where !hashes.insert(element.hash).inserted { indices.append(element.index) }
        guard hashes.count <= Self.maxCount else {
            throw InputError("more than \(Self.maxCount) lines have a custom_id; split the file", kind: .badData)
        }
        return indices
    }
}
