import CPlatform
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
