import CPlatform

/// When an index has a sketch: it is made once full scans have cost as much as making it does, extended as slots are added, made anew when
/// there are four times as many, and given up where it passes over too little.
struct SketchKeeper {
    /// The least slots that a sketch is made of.
    static let leastSlots = 20_000
    /// The least slots that one is extended by.
    static let leastExtension = 4_096
    /// What sketching a row costs, in rows that a full scan reads: about 0.7 µs to 15 ns.
    static let rent = 48
    /// A sketch that leaves more than this, of 8 searches together, is given up.
    static let mostLeft = 0.3

    /// The sketch; nil where there is none.
    private(set) var sketch: Sketch?
    /// What is being made.
    private(set) var build: SketchBuild?
    private var rented = 0
    private var tries = (searches: 0, rows: 0, left: 0)
    /// How many slots there were when it was given up.
    private var givenUpAt: Int?

    /// Takes over what has been made in the meantime.
    mutating func adopt() {
        guard let build, let result = build.result else { return }
        self.build = nil
        if let result { sketch = result }
    }

    /// Forgets all, since slots have moved. What is made of them is of no use.
    mutating func reset() {
        build?.cancel()
        self = SketchKeeper()
    }

    /// Notes that a search has read so many rows that no sketch covers, and what it looked at by the sketch and had left then. Begins to
    /// make what is missing where that is worth it.
    /// - Parameter isFair: whether what is left tells of the sketch: an approximate search says nothing of exact ones.
    mutating func note(
        uncovered: Int, bySketch: Int, left: Int, isFair: Bool, _ chunks: [VectorChunk], slots: Int, level: vectors_level
    ) {
        if isFair, bySketch > 0 { judge(bySketch, left, slots) }
        rented += uncovered
        guard build == nil, let earlier = wanted(chunks, slots: slots) else { return }
        let missing = slots - (earlier?.count ?? 0)
        guard rented >= Self.rent * missing else { return }
        let build = SketchBuild(chunks, slots: slots, extending: earlier, level: level)
        build.start()
        self.build = build
        rented = 0
    }

    /// Makes what is missing here and now.
    mutating func prepare(_ chunks: [VectorChunk], slots: Int, level: vectors_level) {
        build?.cancel()
        build = nil
        guard let dimension = chunks.first?.dimension, dimension >= SketchBasis.leastDimension else { return }
        givenUpAt = nil
        let build = SketchBuild(chunks, slots: slots, extending: grown(slots) ? nil : sketch, level: level)
        build.run()
        if case .some(.some(let result)) = build.result { sketch = result }
    }

    /// What to make: nil is nothing, else what to extend, where nil is a new one.
    private func wanted(_ chunks: [VectorChunk], slots: Int) -> Sketch?? {
        guard let dimension = chunks.first?.dimension, dimension >= SketchBasis.leastDimension, slots >= Self.leastSlots else { return nil }
        if let givenUpAt, slots < 4 * givenUpAt { return nil }
        guard let sketch, !grown(slots) else { return .some(nil) }
        return slots - sketch.count >= Self.leastExtension ? .some(sketch) : nil
    }

    private func grown(_ slots: Int) -> Bool { sketch.map { slots >= 4 * $0.basis.slots } ?? false }

    private mutating func judge(_ rows: Int, _ left: Int, _ slots: Int) {
        tries = (tries.searches + 1, tries.rows + rows, tries.left + left)
        guard tries.searches == 8 else { return }
        if Double(tries.left) > Self.mostLeft * Double(tries.rows) {
            sketch = nil
            givenUpAt = slots
        }
        tries = (0, 0, 0)
    }
}
