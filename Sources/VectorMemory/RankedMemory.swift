/// A memory that may be an answer.
struct RankedMemory {
    /// The memory.
    var id: Int64
    /// Which of the namespaces that are searched it is in.
    var place: Int
    /// What it is ranked by: larger is better.
    var score: Double
    /// How near its vector is; nil where it was found by its words alone.
    var similarity: Double?
    /// The number of its vector's entry; nil like that.
    var number: Int64?
    /// Its rank among the nearest vectors, where that counts.
    var vectorRank: Int?
    /// Its rank among the best words, where that counts.
    var wordRank: Int?

    /// The better first; of equal ones the smaller id.
    static func isBefore(_ one: RankedMemory, _ other: RankedMemory) -> Bool {
        (one.score, other.id) > (other.score, one.id)
    }
}
