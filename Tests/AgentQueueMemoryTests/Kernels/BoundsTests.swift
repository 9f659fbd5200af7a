import AgentQueueStore
import CAgentQueue
import CAgentQueueReference
import Testing

@testable import AgentQueueMemory

/// What limits a score holds the score: a bound that is too tight would lose a neighbour, and no other test need notice.
@Suite struct BoundsTests {
    /// How near scores come to their limits, as a share of the room that these leave: too near to chance would mean too wide.
    private func spread(
        _ indexed: IndexedVectors, _ queries: [[Float]], _ metric: VectorMetric
    ) throws -> (outside: Int, worst: Double) {
        let set = indexed.set
        var (outside, worst) = (0, 0.0)
        for values in queries {
            let query = try QuantizedQuery(values, dimension: set.dimension)
            let bounds = ScoreBounds(query, metric: metric, level: indexed.index.level)
            let (dots, square) = (set.dots(values), values.reduce(0.0) { $0 + Double($1) * Double($1) })
            var form = query.form
            for (index, chunk) in indexed.index.chunks.enumerated() {
                var products = [Int32](repeating: 0, count: chunk.count)
                vectors_dots(indexed.index.level, chunk.row(0), chunk.count, &form, &products)
                var uppers = [Float](repeating: 0, count: (chunk.count + 63) / 64 * 64)
                vectors_bounds(
                    indexed.index.level, products, chunk.scales, chunk.errors, chunk.count, bounds.scale, bounds.factor, bounds.constant,
                    &uppers)
                if metric != .cosine {
                    vectors_weigh(indexed.index.level, bounds.kernelMetric, bounds.norm, chunk.norms, nil, chunk.count, &uppers)
                }
                for local in 0..<chunk.count {
                    let row = index * VectorChunk.capacity + local
                    let score = reference_score(metric.reference, dots[row], set.squares[row], square)
                    let limits = bounds.limits(products[local], of: local, in: chunk, bonus: 0)
                    if score < limits.lower || score > limits.upper || Float(score) > uppers[local] { outside += 1 }
                    let room = (limits.upper - limits.lower) / 2
                    if room > 0, room.isFinite { worst = max(worst, abs(score - (limits.upper + limits.lower) / 2) / room) }
                }
            }
        }
        return (outside, worst)
    }

    @Test(arguments: HardVectors.allCases, [1, 2, 3, 17, 64, 129, 384])
    func codesHoldTheScore(_ kind: HardVectors, _ dimension: Int) throws {
        let indexed = IndexedVectors(VectorSet(kind.make(100, dimension)))
        try indexed.append(0..<100)
        // Queries of the same kind, of another, and vectors of the set themselves.
        let queries = kind.make(3, dimension, seed: 9) + HardVectors.normal.make(3, dimension, seed: 8) + [indexed.set[0], indexed.set[99]]
        for metric in VectorMetric.allCases {
            let result = try spread(indexed, queries, metric)
            #expect(result.outside == 0, "\(kind) \(dimension) \(metric)")
        }
    }

    /// A query that points just where the codes lack most uses up nearly all of the room: less room would be too little.
    @Test func codesLeaveNoMoreRoomThanTheyNeed() throws {
        let set = VectorSet.normal(50, 256)
        let indexed = IndexedVectors(set)
        try indexed.append(0..<50)
        for row in 0..<50 {
            let vector = try MemoryVector(set[row])
            let rest = (0..<256).map { place in
                Double(set[row][place]) / set.squares[row].squareRoot() - Double(vector.scale) * Double(Int(vector.codes[place]) - 128)
            }
            let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(length <= Double(vector.error) && length > Double(vector.error) * 0.999_99)
            let result = try spread(indexed, [rest.map { Float($0) }, rest.map { -Float($0) }], .cosine)
            #expect(result.outside == 0)
            #expect(result.worst > 0.9, "\(result)")
        }
    }

    @Test(arguments: HardVectors.allCases, [192, 250])
    func aSketchHoldsTheCosine(_ kind: HardVectors, _ dimension: Int) throws {
        let set = VectorSet(kind.make(800, dimension))
        let indexed = IndexedVectors(set)
        try indexed.append(0..<set.count)
        indexed.index.prepare()
        // Vectors that lie in no direction but one, or all in the same place, have no sketch that is of use.
        guard let sketch = indexed.index.sketches.sketch else {
            #expect(kind == .sameEverywhere || kind == .nearlyAlike)
            return
        }
        #expect(sketch.count == 800 && sketch.basis.skew < 0.001)
        // Besides queries of all kinds, those that point where the sketch says least.
        var queries = kind.make(5, dimension, seed: 9) + HardVectors.normal.make(5, dimension, seed: 8) + [set[0], set[799]]
        queries += (0..<20).map { residue(of: set[$0], in: sketch.basis) }.filter { $0.contains { abs($0) > 1e-6 } }
        for values in queries where values.reduce(0, { max($0, abs($1)) }) > 1e-30 {
            let query = try QuantizedQuery(values, dimension: dimension)
            let (dots, square) = (set.dots(values), values.reduce(0.0) { $0 + Double($1) * Double($1) })
            for level in [indexed.index.level, .plain] {
                var uppers = [Float](repeating: 0, count: 800)
                SketchQuery(query.unit, sketch).bounds(level, 0..<800, &uppers)
                for row in 0..<800 {
                    let cosine = reference_score(.cosine, dots[row], set.squares[row], square)
                    #expect(cosine <= Double(uppers[row]), "\(kind) \(dimension) row \(row)")
                }
            }
        }
    }

    /// What a vector has outside of the directions of a sketch.
    private func residue(of vector: [Float], in basis: SketchBasis) -> [Float] {
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        var rest = vector.map { Double($0) / length }
        for query in basis.queries {
            let direction = (0..<vector.count).map { Double(query.values[$0]) * Double(query.scale) }
            let share = zip(rest, direction).reduce(0) { $0 + $1.0 * $1.1 }
            for place in rest.indices { rest[place] -= share * direction[place] }
        }
        return rest.map { Float($0) }
    }

    /// Of clusters, a sketch is near enough to pass over most, and its directions are worth more than any.
    @Test func aSketchSaysMuchOfClusters() throws {
        let set = VectorSet.clusters(20_000, 384, centres: 400)
        let indexed = IndexedVectors(set)
        try indexed.append(0..<set.count)
        indexed.index.prepare()
        let others = VectorSet.clusters(20, 384, centres: 400, stream: 1)
        for row in 0..<20 {
            let report = try indexed.search(others[row], scan: .cascade).report
            #expect(report.scan == .cascade)
            #expect(report.sketched < 5_000 && report.ranked <= report.candidates && report.candidates < 100, "\(report)")
        }
    }
}
