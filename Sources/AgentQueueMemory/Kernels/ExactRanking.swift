import AgentQueueStore
import CAgentQueue

/// The nearest of some candidates, by their exact vectors.
struct ExactRanking {
    /// The nearest, the best first.
    private(set) var hits: [VectorHit] = []
    /// How many were compared.
    private(set) var ranked = 0
    /// The slots whose vectors were not to be had.
    private(set) var missing: [Int] = []

    private let query: QuantizedQuery
    private let metric: VectorMetric
    private let limit: Int
    private let bonus: [Float]?
    private var best: BestScores

    /// Makes one.
    init(_ query: QuantizedQuery, metric: VectorMetric, limit: Int, bonus: [Float]?) {
        self.query = query
        self.metric = metric
        self.limit = limit
        self.bonus = bonus
        best = BestScores(limit: limit)
    }

    /// The least score of the nearest; less than all where there are not as many as were asked for.
    var worst: Double { best.threshold }

    /// Ranks candidates, the most promising first, until no other can be among the nearest.
    /// - Throws: what `exact` throws.
    mutating func rank(_ candidates: [Scanner.Candidate], in index: VectorIndex, _ exact: VectorIndex.ExactSource) throws {
        let candidates = candidates.sorted { $0.upper > $1.upper }
        var (next, batch) = (0, limit)
        while next < candidates.count, candidates[next].upper >= worst {
            let some = candidates[next..<min(next + batch, candidates.count)].prefix { $0.upper >= worst }
            try compare(some.map(\.slot).sorted(), in: index, exact)
            next += some.count
            batch = next
        }
        hits.sort { ($1.score, $0.memoryID) < ($0.score, $1.memoryID) }
        hits.removeLast(max(0, hits.count - limit))
    }

    /// Compares the vectors of slots, ascending: with those that the index keeps, and those that it has to fetch.
    private mutating func compare(_ slots: [Int], in index: VectorIndex, _ exact: VectorIndex.ExactSource) throws {
        var unknown: [Int] = []
        for slot in slots {
            if let vector = index.exactVectors.vector(slot) { compare(slot, vector, in: index) } else { unknown.append(slot) }
        }
        guard !unknown.isEmpty else { return }
        var isFound = [Bool](repeating: false, count: unknown.count)
        try exact(unknown.map { index.number($0) }) { place, vector in
            guard let start = vector.baseAddress, vector.count == index.dimension * MemoryLayout<Float>.size else {
                throw VectorError.wrongDimension(vector.count / MemoryLayout<Float>.size, expected: index.dimension)
            }
            isFound[place] = true
            index.exactVectors.keep(vector, slot: unknown[place], of: index.slots)
            compare(unknown[place], start, in: index)
        }
        for (place, slot) in unknown.enumerated() where !isFound[place] { missing.append(slot) }
    }

    private mutating func compare(_ slot: Int, _ vector: UnsafeRawPointer, in index: VectorIndex) {
        var (dot, square, difference) = (0.0, 0.0, 0.0)
        vectors_compare(query.values, vector, query.values.count, &dot, &square, &difference)
        let similarity =
            switch metric {
            case .cosine: dot / (query.form.norm * square.squareRoot())
            case .dot: dot
            case .euclidean: -difference.squareRoot()
            }
        let score = similarity + (bonus.map { Double($0[slot]) } ?? 0)
        ranked += 1
        guard score >= worst else { return }
        best.offer(score)
        hits.append(
            VectorHit(memoryID: index.memoryID(slot), number: index.number(slot), slot: slot, score: score, similarity: similarity))
    }
}

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
