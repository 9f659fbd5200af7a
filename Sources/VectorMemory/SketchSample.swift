import CPlatform

/// Vectors of an index, with their sketch: what approximate searches learn from.
struct SketchSample {
    private let chunk: VectorChunk
    private let sketch: Sketch
    private let level: vectors_level

    /// How many are searched for, and how many neighbours of each are looked at.
    private static let (queries, neighbours) = (64, 10)

    /// Of a chunk that the sketch covers.
    init(_ chunk: VectorChunk, _ sketch: Sketch, level: vectors_level) {
        self.chunk = chunk
        self.sketch = sketch
        self.level = level
    }

    /// How much of what the sketch lacks the nearest have of it: what 95 of 100 neighbours in a sample have at most, and a tenth
    /// more. (A neighbour with more is still found where it is nearer than others by more than that.)
    ///
    /// That it points anywhere, and little of it where the query does, would be wrong of just those that are looked for: what lies near in
    /// the directions of the sketch tends to lie near in the others.
    func usualShare() -> Double {
        let shares = stride(from: 0, to: chunk.count, by: max(1, chunk.count / Self.queries)).flatMap(shares).sorted()
        guard !shares.isEmpty else { return 1 }
        return max(0, min(1, 1.1 * shares[(shares.count - 1) * 95 / 100]))
    }

    /// Those of the neighbours of one of them.
    private func shares(_ own: Int) -> [Double] {
        let codes = chunk.row(own)
        guard let query = try? QuantizedQuery((0..<chunk.dimension).map { Float(codes[$0]) - 128 }, dimension: chunk.dimension) else {
            return []
        }
        var form = query.form
        var dots = [Int32](repeating: 0, count: chunk.count)
        vectors_dots(level, chunk.row(0), chunk.count, &form, &dots)
        var (none, all) = ([Float](repeating: 0, count: chunk.count), [Float](repeating: 0, count: chunk.count))
        SketchQuery(query.unit, sketch, share: 0).bounds(level, 0..<chunk.count, &none)
        SketchQuery(query.unit, sketch).bounds(level, 0..<chunk.count, &all)
        func cosine(_ row: Int) -> Double { Double(dots[row]) * Double(form.scale) * Double(chunk.scales[row]) }
        var best = BestScores(limit: Self.neighbours)
        // The same text twice is no neighbour.
        let others = (0..<chunk.count).filter { cosine($0) < 0.9999 }
        for row in others { best.offer(cosine(row)) }
        return others.filter { cosine($0) >= best.threshold && all[$0] > none[$0] }.map {
            (cosine($0) - Double(none[$0])) / Double(all[$0] - none[$0])
        }
    }
}
