import CAgentQueue
import Dispatch
import Foundation
import Synchronization

/// Builds a sketch of an index, on a thread of its own or on the caller's.
final class SketchBuild: Sendable {
    /// The vectors to sketch.
    ///
    /// @unchecked because chunks are not Sendable: the first `count` slots never change, and no others are read here.
    private struct Source: @unchecked Sendable {
        let chunks: [VectorChunk]
        let count: Int
        let level: vectors_level
        /// The sketch to extend.
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

    /// The maximum number of rows in a sample.
    private static let sample = 8_192

    /// - Parameters:
    ///   - chunks: the chunks of the index.
    ///   - slots: its number of slots.
    ///   - earlier: a sketch to extend; nil to start with a new basis.
    init(_ chunks: [VectorChunk], slots: Int, extending earlier: Sketch?, level: vectors_level) {
        source = Source(chunks: chunks, count: slots / 16 * 16, level: level, earlier: earlier)
    }

    /// Starts on a thread of its own.
    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "aq-sketch"
        thread.start()
    }

    /// Runs on the current thread.
    func run() {
        let sketch = make()
        state.withLock { state in
            state.sketch = sketch
            state.hasEnded = true
        }
    }

    /// Stops soon, without a result.
    func cancel() { state.withLock { $0.isCancelled = true } }

    /// Waits for the thread to end; for tests.
    func wait() {
        ended.wait()
        ended.signal()
    }

    /// The result; nil while the build is running. The inner value is nil if no sketch can be made.
    var result: Sketch?? { state.withLock { $0.hasEnded ? .some($0.sketch) : nil } }

    private var isCancelled: Bool { state.withLock { $0.isCancelled } }

    private func make() -> Sketch? {
        guard let empty = source.earlier ?? begun() else { return nil }
        return empty.extended(to: source.count, source.chunks, level: source.level) { isCancelled }
    }

    /// An empty sketch with a basis made from a sample of all slots.
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

/// Decides when an index has a sketch. It is built once full scans have cost as much as building it, extended as slots are added, rebuilt
/// when there are four times as many, and dropped if it excludes too little.
struct SketchKeeper {
    /// The smallest number of slots that gets a sketch.
    static let leastSlots = 20_000
    /// The smallest number of slots that a sketch is extended by.
    static let leastExtension = 4_096
    /// The cost of sketching a row, in rows read by a full scan: about 0.7 µs against 15 ns.
    static let rent = 48
    /// The number of searches after which a sketch that costs more than it saves is dropped.
    static let trial = 8

    private(set) var sketch: Sketch?
    /// The build in progress.
    private(set) var build: SketchBuild?
    private var rented = 0
    /// The cost beyond the savings, by the selectivity of the searches.
    private var trials = [(searches: Int, cost: Double)](repeating: (0, 0), count: Int.bitWidth + 1)
    /// The highest selectivity for which the sketch was not useful.
    private var useless = 6
    /// The number of slots when it was dropped.
    private var givenUpAt: Int?

    /// Adopts the result of a finished build.
    mutating func adopt() {
        guard let build, let result = build.result else { return }
        self.build = nil
        if let result { take(result) }
    }

    private mutating func take(_ made: Sketch) {
        if made.basis !== sketch?.basis { useless = SketchKeeper().useless }
        sketch = made
    }

    /// Discards everything because slots have moved, including a build in progress.
    mutating func reset() {
        build?.cancel()
        self = SketchKeeper()
    }

    /// The selectivity of a search: the binary logarithm of the number of vectors for each one to be found. With few, hardly any can be
    /// excluded.
    static func choice(of count: Int, for limit: Int) -> Int { Int.bitWidth - (count / max(1, limit)).leadingZeroBitCount }

    /// The sketch, if a search of that selectivity should use it.
    func sketch(for choice: Int, _ scan: VectorScan) -> Sketch? {
        switch scan {
        case .full: nil
        case .automatic: choice > useless ? sketch : nil
        case .cascade, .approximate: sketch
        }
    }

    /// Records what a search has read, and starts a build if it is worthwhile.
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

    /// Builds whatever is missing on the current thread.
    mutating func prepare(_ chunks: [VectorChunk], slots: Int, level: vectors_level) {
        build?.cancel()
        build = nil
        guard let dimension = chunks.first?.dimension, dimension >= SketchBasis.leastDimension else { return }
        givenUpAt = nil
        let build = SketchBuild(chunks, slots: slots, extending: grown(slots) ? nil : sketch, level: level)
        build.run()
        if case .some(.some(let result)) = build.result { take(result) }
    }

    /// What to build: nil for nothing, otherwise the sketch to extend, where nil means a new one.
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
        // Most searches ask for about ten.
        guard useless >= Self.choice(of: slots, for: 10) else { return }
        self = SketchKeeper()
        givenUpAt = slots
    }
}
