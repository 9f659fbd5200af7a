import CAgentQueue
import Dispatch
import Foundation
import Synchronization

/// Makes a sketch of slots of an index, on a thread of its own or the caller's.
final class SketchBuild: Sendable {
    /// What is sketched.
    ///
    /// @unchecked because chunks are not Sendable: what they hold of the first `count` slots is never changed, and no more is read here.
    private struct Source: @unchecked Sendable {
        let chunks: [VectorChunk]
        let count: Int
        let level: vectors_level
        /// What there is of it already.
        let earlier: Sketch?
    }

    private struct State {
        var isCancelled = false
        var hasEnded = false
        var sketch: Sketch?
    }

    private let state = Mutex(State())
    private let source: Source
    private let ended = DispatchSemaphore(value: 0)

    /// The most rows of a sample.
    private static let sample = 8_192

    /// Prepares one.
    /// - Parameters:
    ///   - chunks: those of the index.
    ///   - slots: how many it has.
    ///   - earlier: a sketch that is to be extended; nil begins with a new basis.
    init(_ chunks: [VectorChunk], slots: Int, extending earlier: Sketch?, level: vectors_level) {
        source = Source(chunks: chunks, count: slots / 16 * 16, level: level, earlier: earlier)
    }

    /// Begins, on a thread of its own.
    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "aq-sketch"
        thread.start()
    }

    /// Does it here and now.
    func run() {
        let sketch = make()
        state.withLock { state in
            state.sketch = sketch
            state.hasEnded = true
        }
    }

    /// Ends it soon, without a result.
    func cancel() { state.withLock { $0.isCancelled = true } }

    /// Waits for the end of its thread; for tests.
    func wait() {
        ended.wait()
        ended.signal()
    }

    /// What came of it; nil as long as it is under way. The sketch is nil where there is none to be had.
    var result: Sketch?? { state.withLock { $0.hasEnded ? .some($0.sketch) : nil } }

    private var isCancelled: Bool { state.withLock { $0.isCancelled } }

    private func make() -> Sketch? {
        guard let empty = source.earlier ?? begun() else { return nil }
        return empty.extended(to: source.count, source.chunks, level: source.level) { isCancelled }
    }

    /// An empty sketch, made for a sample that is spread over all slots.
    private func begun() -> Sketch? {
        guard let dimension = source.chunks.first?.dimension, source.count > 0 else { return nil }
        let size = min(source.count, max(1_024, Self.sample * 384 / max(384, dimension)))
        let sample = VectorChunk(dimension: dimension, isFirst: true)
        for index in 0..<size / 16 * 16 {
            let (chunk, local) = (index * source.count / size).quotientAndRemainder(dividingBy: VectorChunk.capacity)
            sample.append(source.chunks[chunk].entry(local), codes: source.chunks[chunk].row(local))
        }
        let basis = SketchBasis(sample, slots: source.count, level: source.level) { isCancelled }
        guard let basis else { return nil }
        let sketch = Sketch(basis).extended(to: sample.count, [sample], level: source.level) { isCancelled }
        return sketch.map { Sketch(basis, usualShare: SketchSample(sample, $0, level: source.level).usualShare()) }
    }
}

/// When an index has a sketch: it is made once full scans have cost as much as making it does, extended as slots are added, made anew when
/// there are four times as many, and given up where it passes over too few.
struct SketchKeeper {
    /// The least slots that a sketch is made of.
    static let leastSlots = 20_000
    /// The least slots that one is extended by.
    static let leastExtension = 4_096
    /// What sketching a row costs, in rows that a full scan reads: about 0.7 µs to 15 ns.
    static let rent = 48
    /// A sketch that costs more than it saves, in so many searches together, is given up.
    static let trial = 8

    /// The sketch; nil where there is none.
    private(set) var sketch: Sketch?
    /// What is being made.
    private(set) var build: SketchBuild?
    private var rented = 0
    /// What it has cost beyond what it has saved, by the choice that searches had.
    private var trials = [(searches: Int, cost: Double)](repeating: (0, 0), count: Int.bitWidth + 1)
    /// The largest choice for which it was of no use.
    private var useless = 6
    /// How many slots there were when it was given up.
    private var givenUpAt: Int?

    /// Takes over what has been made in the meantime.
    mutating func adopt() {
        guard let build, let result = build.result else { return }
        self.build = nil
        if let result { take(result) }
    }

    private mutating func take(_ made: Sketch) {
        if made.basis !== sketch?.basis { useless = SketchKeeper().useless }
        sketch = made
    }

    /// Forgets all, since slots have moved. What is made of them is of no use.
    mutating func reset() {
        build?.cancel()
        self = SketchKeeper()
    }

    /// How many vectors there are for each that is to be found, in binary digits: with few, none can be passed over.
    static func choice(of count: Int, for limit: Int) -> Int { Int.bitWidth - (count / max(1, limit)).leadingZeroBitCount }

    /// The sketch, if a search with that choice is to look at it.
    func sketch(for choice: Int, _ scan: VectorScan) -> Sketch? {
        switch scan {
        case .full: nil
        case .automatic: choice > useless ? sketch : nil
        case .cascade, .approximate: sketch
        }
    }

    /// Notes what a search has looked at. Begins to make what is missing where that is worth it.
    mutating func note(
        _ counts: ScanCounts, choice: Int, _ scan: VectorScan, _ chunks: [VectorChunk], slots: Int, level: vectors_level
    ) {
        if scan == .automatic, counts.bySketch > 0 { judge(counts, choice, slots) }
        guard scan != .full, choice > useless else { return }
        rented += counts.uncovered
        guard build == nil, let earlier = wanted(chunks, slots: slots) else { return }
        guard rented >= Self.rent * (slots - (earlier?.count ?? 0)) else { return }
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
        if case .some(.some(let result)) = build.result { take(result) }
    }

    /// What to make: nil is nothing, else what to extend, where nil is a new one.
    private func wanted(_ chunks: [VectorChunk], slots: Int) -> Sketch?? {
        guard let dimension = chunks.first?.dimension, dimension >= SketchBasis.leastDimension, slots >= Self.leastSlots else { return nil }
        if let givenUpAt, slots < 4 * givenUpAt { return nil }
        guard let sketch, !grown(slots) else { return .some(nil) }
        return slots - sketch.count >= Self.leastExtension ? .some(sketch) : nil
    }

    private func grown(_ slots: Int) -> Bool { sketch.map { slots >= 4 * $0.basis.slots } ?? false }

    private mutating func judge(_ counts: ScanCounts, _ choice: Int, _ slots: Int) {
        trials[choice].searches += 1
        trials[choice].cost += counts.cost.withSketch - counts.cost.without
        guard trials[choice].searches == Self.trial else { return }
        if trials[choice].cost > 0 { useless = max(useless, choice) }
        trials[choice] = (0, 0)
        // Most searches look for some ten.
        guard useless >= Self.choice(of: slots, for: 10) else { return }
        self = SketchKeeper()
        givenUpAt = slots
    }
}
