import CPlatform

/// One thread's part of a search: finds the slots whose vectors may be among the nearest.
final class Scanner {
    /// A slot that may be among them, and the most that its score can be.
    struct Candidate {
        var slot: Int
        var upper: Double
    }

    /// A slot that a sketch has left, and the most that its score can be by that.
    private struct Left {
        var slot: Int
        var upper: Float
    }

    private let task: ScanTask
    /// The best of the least scores that rows have by their codes.
    private(set) var best: BestScores
    /// What a score must reach.
    private(set) var threshold = -Double.infinity
    /// What is left when the codes have been looked at, with some that others have surpassed since.
    private(set) var candidates: [Candidate] = []
    private(set) var counts = ScanCounts()

    private var left: [Left] = []
    private var dots = [Int32](repeating: 0, count: ScanTask.segment)
    private var uppers = [Float](repeating: 0, count: ScanTask.segment)
    private var bits = [UInt64](repeating: 0, count: ScanTask.segment / 64)
    private var rows: [UnsafePointer<UInt8>?] = []
    private var slots: [Int] = []
    private var form: vectors_query
    /// How many may be left before it is worth looking which have been surpassed.
    private var mostLeft = 1 << 16

    /// Makes one.
    init(_ task: ScanTask) {
        self.task = task
        form = task.query.form
        best = BestScores(limit: task.limit)
    }

    /// Looks through what no other thread does.
    func run() {
        while let range = task.next() {
            threshold = max(threshold, task.threshold)
            scan(range)
            task.raise(threshold)
        }
        settle()
    }

    private func scan(_ range: Range<Int>) {
        let words = (range.count + 63) / 64
        var count = 0
        for word in 0..<words {
            bits[word] = task.allowed[range.lowerBound / 64 + word]
            count += bits[word].nonzeroBitCount
        }
        counts.scanned += count
        guard count > 0 else { return }
        let chunk = task.chunks[range.lowerBound / VectorChunk.capacity]
        let first = range.lowerBound % VectorChunk.capacity
        // A row by itself costs more than one of many: it waits for memory that the processor did not foresee.
        if let sketch = task.sketch, range.upperBound <= sketch.sketch.count, count * 8 > range.count {
            counts.bySketch += count
            scanSketch(sketch, chunk, first, range, words)
        } else if count * 3 > range.count {
            counts.inWhole += count
            counts.byCodes += count
            scanWhole(chunk, first, range, words)
        } else {
            eachBit(of: words) { slots.append(range.lowerBound + $0) }
            look()
        }
    }

    // MARK: Many rows

    private func scanWhole(_ chunk: VectorChunk, _ first: Int, _ range: Range<Int>, _ words: Int) {
        let (bounds, count) = (task.bounds, range.count)
        vectors_dots(bounds.level, chunk.row(first), count, &form, &dots)
        vectors_bounds(
            bounds.level, dots, chunk.scales + first, chunk.errors + first, count, bounds.scale, bounds.factor, bounds.constant, &uppers)
        weigh(chunk, first, range)
        vectors_passing(uppers, floor(threshold), words, &bits)
        eachBit(of: words) { consider(range.lowerBound + $0, dots[$0]) }
    }

    private func scanSketch(_ sketch: SketchQuery, _ chunk: VectorChunk, _ first: Int, _ range: Range<Int>, _ words: Int) {
        sketch.bounds(task.bounds.level, chunk, first, range, &uppers)
        weigh(chunk, first, range)
        vectors_passing(uppers, floor(threshold), words, &bits)
        let before = left.count
        eachBit(of: words) { left.append(Left(slot: range.lowerBound + $0, upper: uppers[$0])) }
        lookAtBest(from: before)
        guard left.count > mostLeft else { return }
        forgetSurpassed()
        mostLeft = max(mostLeft, 2 * left.count)
    }

    /// Turns bounds of cosines into those of scores.
    private func weigh(_ chunk: VectorChunk, _ first: Int, _ range: Range<Int>) {
        let bounds = task.bounds
        guard bounds.needsWeighing(task.bonus) else { return }
        let bonus = task.bonus.map { $0 + range.lowerBound }
        vectors_weigh(bounds.level, bounds.kernelMetric, bounds.norm, chunk.norms + first, bonus, range.count, &uppers)
    }

    private func eachBit(of words: Int, _ body: (Int) -> Void) {
        for word in 0..<words {
            var rest = bits[word]
            while rest != 0 {
                body(word * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// The greatest Float32 that is not above.
    private func floor(_ value: Double) -> Float {
        let near = Float(value)
        return Double(near) > value ? near.nextDown : near
    }

    // MARK: What a sketch has left

    /// Looks at the codes of the most promising of those left since: what they score is what the others must reach. The others wait until
    /// all has been seen, when most of them have been surpassed.
    private func lookAtBest(from start: Int) {
        let isComplete = best.heap.count == task.limit
        var wanted = isComplete ? 4 : max(16, task.limit)
        guard left.count > start else { return }
        if !isComplete { left[start...].sort { $0.upper < $1.upper } }
        while wanted > 0, left.count > start {
            if isComplete, let greatest = left.indices[start...].max(by: { left[$0].upper < left[$1].upper }) {
                left.swapAt(greatest, left.count - 1)
            }
            slots.append(left.removeLast().slot)
            counts.left += 1
            wanted -= 1
        }
        look()
    }

    private func forgetSurpassed() {
        let threshold = floor(threshold)
        left.removeAll { $0.upper < threshold }
    }

    /// Looks at the codes of all that are left and not surpassed.
    private func settle() {
        threshold = max(threshold, task.threshold)
        forgetSurpassed()
        for one in left where Double(one.upper) >= threshold {
            slots.append(one.slot)
            counts.left += 1
            if slots.count == 64 { look() }
        }
        look()
        left = []
    }

    // MARK: Single rows

    /// Looks at the codes of the noted slots.
    private func look() {
        guard !slots.isEmpty else { return }
        rows.removeAll(keepingCapacity: true)
        for slot in slots { rows.append(task.chunks[slot / VectorChunk.capacity].row(slot % VectorChunk.capacity)) }
        vectors_dots_of(task.bounds.level, rows, rows.count, &form, &dots)
        counts.byCodes += slots.count
        for (index, slot) in slots.enumerated() { consider(slot, dots[index]) }
        slots.removeAll(keepingCapacity: true)
    }

    private func consider(_ slot: Int, _ dot: Int32) {
        let chunk = task.chunks[slot / VectorChunk.capacity]
        let local = slot % VectorChunk.capacity
        let limits = task.bounds.limits(dot, of: local, in: chunk, bonus: task.bonus.map { Double($0[slot]) } ?? 0)
        guard limits.upper >= threshold, !chunk.isExpired(local, now: task.now) else { return }
        best.offer(limits.lower)
        threshold = max(threshold, best.threshold)
        candidates.append(Candidate(slot: slot, upper: limits.upper))
        if candidates.count == candidates.capacity, candidates.count > 1 << 14 { candidates.removeAll { $0.upper < threshold } }
    }
}
