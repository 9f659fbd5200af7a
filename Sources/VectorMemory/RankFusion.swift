/// Reciprocal rank fusion of two rankings (Cormack, Clarke and Büttcher, SIGIR 2009): each gives 1 / (60 + rank).
enum RankFusion {
    /// What was found in one of the rankings, or both.
    struct Found: Equatable {
        /// The memory.
        var id: Int64
        /// The sum over the rankings.
        var score: Double
        /// Its rank in the first, from 1.
        var first: Int?
        /// Its rank in the second, from 1.
        var second: Int?
    }

    private static let constant = 60.0

    /// Both rankings in one, the best first; of equal ones the smaller id.
    static func fuse(_ first: [Int64], _ second: [Int64]) -> [Found] {
        var found: [Int64: Found] = [:]
        for (place, id) in first.enumerated() {
            found[id] = Found(id: id, score: 1 / (constant + Double(place + 1)), first: place + 1)
        }
        for (place, id) in second.enumerated() {
            var one = found[id] ?? Found(id: id, score: 0)
            one.second = place + 1
            one.score += 1 / (constant + Double(place + 1))
            found[id] = one
        }
        return found.values.sorted { ($0.score, $1.id) > ($1.score, $0.id) }
    }
}
