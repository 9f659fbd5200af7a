import CAgentQueue

/// One thread's share of a search: finds the slots whose vectors may be among the nearest.
final class Scanner {
    /// A slot that may be among the nearest, and its highest possible score.
    struct Candidate {
        var slot: Int
        var upper: Double
    }

    /// A slot that the sketch did not exclude, and its highest possible score according to the sketch.
    private struct Left {
        var slot: Int
        var upper: Float
    }

    private let task: ScanTask
    /// The best of the lowest possible scores, according to the codes.
    private(set) var best: BestScores
    /// The score that a candidate must reach.
    private(set) var threshold = -Double.infinity { didSet { least = Self.floor(threshold) } }
    /// The same in Float32, rounded down: the limit for bounds that were rounded to nearest.
    private var least = -Float.infinity
    /// The slots that the codes did not exclude, including some that others have surpassed since.
    private(set) var candidates: [Candidate] = []
    private(set) var counts = ScanCounts()

    private var left: [Left] = []
    private var form: vectors_query
    private var rows: [UnsafePointer<UInt8>?] = []
    private var slots: [Int] = []
    // Buffers for the rows of one segment: which are still to be scanned, where they are, and the results of the kernels.
    private var bits = [UInt64](repeating: 0, count: ScanTask.segment / 64)
    private var places = [UInt32](repeating: 0, count: ScanTask.segment)
    private var dots = [Int32](repeating: 0, count: ScanTask.segment)
    private var uppers = [Float](repeating: 0, count: ScanTask.segment)

    /// Reading an isolated row costs as much as this many consecutive ones, because the processor does not prefetch it.
    private static let apart = 3
    /// The number of slots or candidates that makes it worthwhile to look for surpassed ones.
    private var most = (left: 1 << 16, candidates: 1 << 14)

    init(_ task: ScanTask) {
        self.task = task
        form = task.query.form
        best = BestScores(limit: task.limit)
    }

    /// Scans segments until none are left.
    func run() {
        while let range = task.next() {
            threshold = max(threshold, task.threshold)
            scan(range)
            task.raise(threshold)
        }
        readCodes()
    }

    private func scan(_ range: Range<Int>) {
        var count = 0
        for word in 0..<Self.words(range) {
            bits[word] = task.allowed[range.lowerBound / 64 + word]
            count += bits[word].nonzeroBitCount
        }
        counts.scanned += count
        guard count > 0 else { return }
        let isDense = count * Self.apart > range.count
        if let sketch = task.sketch, range.upperBound <= sketch.sketch.count {
            scanSketch(sketch, range, count, isDense: isDense)
        } else if isDense {
            counts.uncovered += count
            scanWhole(range, count)
        } else {
            scanFew(range, count)
        }
    }

    // MARK: Many rows

    /// Reads the codes of all rows of a segment, and considers those whose bits are set.
    private func scanWhole(_ range: Range<Int>, _ count: Int) {
        let (bounds, (chunk, first)) = (task.bounds, task.place(range.lowerBound))
        vectors_dots(bounds.level, chunk.row(first), range.count, &form, &dots)
        vectors_bounds(
            bounds.level, dots, chunk.scales + first, chunk.errors + first, range.count, bounds.scale, bounds.factor, bounds.constant,
            &uppers)
        counts.byCodes += count
        for place in passing(range) where uppers[Int(place)] >= least {
            consider(range.lowerBound + Int(place), dots[Int(place)])
        }
    }

    /// Reads the codes of the rows of a segment whose bits are set.
    private func scanFew(_ range: Range<Int>, _ count: Int) {
        let (bounds, (chunk, first)) = (task.bounds, task.place(range.lowerBound))
        vectors_list(bits, Self.words(range), &places)
        vectors_dots_at(bounds.level, chunk.row(first), places, count, &form, &dots)
        vectors_bounds_at(
            dots, chunk.scales + first, chunk.errors + first, places, count, bounds.scale, bounds.factor, bounds.constant, &uppers)
        counts.byCodes += count
        for index in 0..<count {
            let slot = range.lowerBound + Int(places[index])
            if weighed(uppers[index], slot) >= least { consider(slot, dots[index]) }
        }
    }

    /// Reads the sketch of the rows of a segment whose bits are set.
    private func scanSketch(_ sketch: SketchQuery, _ range: Range<Int>, _ count: Int, isDense: Bool) {
        let before = left.count
        if isDense {
            sketch.bounds(task.bounds.level, range, &uppers)
            look()
            for place in passing(range) { left.append(Left(slot: range.lowerBound + Int(place), upper: uppers[Int(place)])) }
        } else {
            vectors_list(bits, Self.words(range), &places)
            sketch.bounds(task.bounds.level, range, places[..<count], &uppers)
            look()
            for index in 0..<count {
                let slot = range.lowerBound + Int(places[index])
                let upper = weighed(uppers[index], slot)
                if upper >= least { left.append(Left(slot: slot, upper: upper)) }
            }
        }
        counts.bySketch += count
        let read = Double(isDense ? range.count : count * Self.apart)
        counts.cost.without += read
        counts.cost.withSketch += read * Double(VECTORS_SKETCH_BYTES) / Double(form.dimension)
        noteBest(from: before, 1 + count / 2_048)
        guard left.count > most.left else { return }
        forgetSurpassed()
        most.left = max(most.left, 2 * left.count)
    }

    /// The highest possible score of a slot whose cosine is at most the given one, rounded to nearest.
    private func weighed(_ cosine: Float, _ slot: Int) -> Float {
        guard task.bounds.needsWeighing(task.bonus) else { return cosine }
        let (chunk, local) = task.place(slot)
        return Float(task.bounds.upper(cosine, of: local, in: chunk, bonus: task.bonus.map { Double($0[slot]) } ?? 0))
    }

    /// Converts the bounds of the rows' cosines to bounds of their scores, and lists the rows with a set bit that may be among the best.
    private func passing(_ range: Range<Int>) -> ArraySlice<UInt32> {
        let (bounds, (chunk, first)) = (task.bounds, task.place(range.lowerBound))
        if bounds.needsWeighing(task.bonus) {
            let bonus = task.bonus.map { $0 + range.lowerBound }
            vectors_weigh(bounds.level, bounds.kernelMetric, bounds.norm, chunk.norms + first, bonus, range.count, &uppers)
        }
        vectors_passing(uppers, least, Self.words(range), &bits)
        return listed(range)
    }

    private func listed(_ range: Range<Int>) -> ArraySlice<UInt32> { places[..<vectors_list(bits, Self.words(range), &places)] }

    private static func words(_ range: Range<Int>) -> Int { (range.count + 63) / 64 }

    /// The greatest Float32 that is not above the value.
    private static func floor(_ value: Double) -> Float {
        let near = Float(value)
        return Double(near) > value ? near.nextDown : near
    }

    // MARK: What a sketch has left

    /// Notes the most promising of the slots that the sketch did not exclude, whose scores will raise the threshold for the others. Their
    /// codes are read after the sketch of the next segment, by when they have been fetched. The other slots wait until everything has been
    /// seen and most of them have been surpassed.
    private func noteBest(from start: Int, _ few: Int) {
        guard left.count > start else { return }
        var promising = BestScores(limit: best.heap.count == task.limit ? few : max(16, task.limit))
        for one in left[start...] { promising.offer(Double(one.upper)) }
        for index in left.indices[start...].reversed() where Double(left[index].upper) >= promising.threshold {
            note(left[index].slot)
            left.swapAt(index, left.count - 1)
            left.removeLast()
        }
        count(left: slots.count)
    }

    /// Counts rows whose codes are read because the sketch did not exclude them.
    private func count(left: Int) {
        counts.left += left
        counts.cost.withSketch += Double(left * Self.apart)
    }

    private func forgetSurpassed() {
        left.removeAll { $0.upper < least }
    }

    /// Reads the codes of all remaining slots that are not surpassed.
    private func readCodes() {
        look()
        threshold = max(threshold, task.threshold)
        forgetSurpassed()
        var next = 0
        while next < left.count {
            let start = left[next].slot / ScanTask.segment * ScanTask.segment
            let range = start..<min(start + ScanTask.segment, task.slots)
            var end = next
            while end < left.count, range.contains(left[end].slot) { end += 1 }
            readCodes(left[next..<end], in: range)
            next = end
        }
        left = []
    }

    /// The same for one segment.
    private func readCodes(_ some: ArraySlice<Left>, in range: Range<Int>) {
        guard some.count * Self.apart > range.count else {
            for one in some where one.upper >= least { note(one.slot) }
            count(left: slots.count)
            return look()
        }
        for word in 0..<Self.words(range) { bits[word] = 0 }
        for one in some { bits[(one.slot - range.lowerBound) / 64] |= 1 << UInt64(one.slot % 64) }
        count(left: range.count / Self.apart)
        scanWhole(range, some.count)
    }

    // MARK: Single rows

    /// Notes a slot whose codes will be read, and prefetches them.
    private func note(_ slot: Int) {
        let (chunk, local) = task.place(slot)
        vectors_foresee(chunk.row(local), chunk.dimension)
        vectors_foresee(chunk.scales + local, 4)
        vectors_foresee(chunk.errors + local, 4)
        slots.append(slot)
    }

    /// Reads the codes of the noted slots.
    private func look() {
        guard !slots.isEmpty else { return }
        rows.removeAll(keepingCapacity: true)
        for slot in slots {
            let (chunk, local) = task.place(slot)
            rows.append(chunk.row(local))
        }
        vectors_dots_of(task.bounds.level, rows, rows.count, &form, &dots)
        counts.byCodes += slots.count
        for (index, slot) in slots.enumerated() { consider(slot, dots[index]) }
        slots.removeAll(keepingCapacity: true)
    }

    private func consider(_ slot: Int, _ dot: Int32) {
        let (chunk, local) = task.place(slot)
        let limits = task.bounds.limits(dot, of: local, in: chunk, bonus: task.bonus.map { Double($0[slot]) } ?? 0)
        guard limits.upper >= threshold, !chunk.isExpired(local, now: task.now) else { return }
        best.offer(limits.lower)
        threshold = max(threshold, best.threshold)
        candidates.append(Candidate(slot: slot, upper: limits.upper))
        guard candidates.count > most.candidates else { return }
        candidates.removeAll { $0.upper < threshold }
        most.candidates = max(most.candidates, 2 * candidates.count)
    }
}

/// What a scan has read, in rows.
struct ScanCounts {
    /// Rows that may be found.
    var scanned = 0
    /// Rows whose codes were read.
    var byCodes = 0
    /// Of these, rows without a sketch, read consecutively with all their neighbours.
    var uncovered = 0
    /// Rows whose sketch was read, and how many of them it did not exclude.
    var bySketch = 0
    var left = 0
    /// The cost with the sketch, and what it would have been without, in rows of codes read consecutively.
    var cost = (withSketch: 0.0, without: 0.0)

    static func += (one: inout Self, other: Self) {
        one.scanned += other.scanned
        one.byCodes += other.byCodes
        one.uncovered += other.uncovered
        one.bySketch += other.bySketch
        one.left += other.left
        one.cost.withSketch += other.cost.withSketch
        one.cost.without += other.cost.without
    }
}
