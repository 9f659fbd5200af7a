import AgentQueueStore
import CAgentQueue

/// The nearest among some candidates, by their exact vectors.
struct ExactRanking {
    /// The nearest so far, best first.
    private(set) var hits: [VectorHit] = []
    /// The number of vectors compared.
    private(set) var ranked = 0
    /// The slots whose vectors no longer exist.
    private(set) var missing: [Int] = []

    private let query: QuantizedQuery
    private let metric: VectorMetric
    private let limit: Int
    private let bonus: [Float]?
    private var best: BestScores

    init(_ query: QuantizedQuery, metric: VectorMetric, limit: Int, bonus: [Float]?) {
        self.query = query
        self.metric = metric
        self.limit = limit
        self.bonus = bonus
        best = BestScores(limit: limit)
    }

    /// The lowest score among the nearest; minus infinity until there are as many as asked for.
    var worst: Double { best.threshold }

    /// Ranks candidates, most promising first, until none of the rest can be among the nearest.
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

    /// Compares the vectors of slots, in ascending order: cached ones, and ones that have to be read.
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

/// The exact vectors that searches have read of a small index, so that the next search need not read them again.
struct ExactVectors {
    /// Vectors are cached only if all vectors of the index take at most this many bytes.
    static let limit = 64 << 20

    private let stride: Int
    private var memory: MappedMemory?
    /// One bit for each slot.
    private var kept: [UInt64] = []
    private var count = 0

    init(dimension: Int) { stride = dimension * MemoryLayout<Float>.size }

    /// Memory use in bytes.
    var bytes: Int { count * stride }

    /// The vector of a slot; nil if it is not cached.
    func vector(_ slot: Int) -> UnsafeRawPointer? {
        guard let memory, slot / 64 < kept.count, kept[slot / 64] & 1 << UInt64(slot % 64) != 0 else { return nil }
        return UnsafeRawPointer(memory.bytes) + slot * stride
    }

    /// Caches the vector of a slot, unless the index is too large.
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
