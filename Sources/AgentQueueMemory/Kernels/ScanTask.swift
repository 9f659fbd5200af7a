import Dispatch
import Synchronization

/// What the threads of one search share: what to look through, and how far they have come.
///
/// @unchecked because of pointers and of chunks, which are not Sendable: nothing of an index changes during a search but what is atomic here.
final class ScanTask: @unchecked Sendable {
    /// How many slots are looked at together: what is noted of them stays in the nearest cache. Chunks are multiples of it.
    static let segment = 4_096

    let chunks: [VectorChunk]
    let slots: Int
    /// A bit a slot, of those that may be found.
    let allowed: [UInt64]
    let query: QuantizedQuery
    let bounds: ScoreBounds
    let limit: Int
    /// What has expired by then is not found.
    let now: Int64
    /// Added to the score of each slot.
    let bonus: UnsafePointer<Float>?
    /// What most slots are passed over by; nil where their codes are read.
    let sketch: SketchQuery?

    private let nextSegment = Atomic<Int>(0)
    /// As its bits.
    private let sharedThreshold = Atomic<UInt64>((-Double.infinity).bitPattern)

    /// Makes one.
    init(
        chunks: [VectorChunk], slots: Int, allowed: [UInt64], query: QuantizedQuery, bounds: ScoreBounds, limit: Int, now: Int64,
        bonus: UnsafePointer<Float>?, sketch: SketchQuery?
    ) {
        self.chunks = chunks
        self.slots = slots
        self.allowed = allowed
        self.query = query
        self.bounds = bounds
        self.limit = limit
        self.now = now
        self.bonus = bonus
        self.sketch = sketch
    }

    /// The next slots that no thread has looked at; nil at the end.
    func next() -> Range<Int>? {
        let start = nextSegment.wrappingAdd(1, ordering: .relaxed).oldValue * Self.segment
        return start < slots ? start..<min(start + Self.segment, slots) : nil
    }

    /// The chunk of a slot, and the slot's place in it.
    func place(_ slot: Int) -> (chunk: VectorChunk, local: Int) { (chunks[slot / VectorChunk.capacity], slot % VectorChunk.capacity) }

    /// What a score must reach, by what any thread has seen.
    var threshold: Double { Double(bitPattern: sharedThreshold.load(ordering: .relaxed)) }

    /// Tells the others what a score must reach. Where two tell at once the smaller may stay, which is true as well.
    func raise(_ threshold: Double) {
        if threshold > self.threshold { sharedThreshold.store(threshold.bitPattern, ordering: .relaxed) }
    }

    // MARK: Running

    /// What a scan has found.
    struct Result {
        /// The slots that may be among the nearest, with the most that their scores can be.
        var candidates: [Scanner.Candidate] = []
        /// What a score must reach to be among them.
        var threshold = -Double.infinity
        var counts = ScanCounts()
        var threads = 1
    }

    /// The least that a thread is worth waking for, in bytes to read: about a fifth of a millisecond.
    private static let worthwhile = 4 << 20

    /// Looks through all, on so many threads at most, the caller's among them.
    func run(threads: Int) -> Result {
        let rowBytes = sketch == nil ? query.values.count : SketchBasis.count / 2
        let count = max(1, min(threads, slots * rowBytes / Self.worthwhile))
        // Each is used by one thread, and looked at when all have ended.
        nonisolated(unsafe) let scanners = (0..<count).map { _ in Scanner(self) }
        if count == 1 { scanners[0].run() } else { DispatchQueue.concurrentPerform(iterations: count) { scanners[$0].run() } }
        var best = BestScores(limit: limit)
        var result = Result(threads: count)
        for scanner in scanners {
            for score in scanner.best.heap { best.offer(score) }
            result.counts += scanner.counts
        }
        result.threshold = best.threshold
        result.candidates = scanners.flatMap(\.candidates).filter { $0.upper >= best.threshold }
        return result
    }
}

/// The best scores of those offered, at most so many: a binary heap with the least on top.
struct BestScores {
    private let limit: Int
    private(set) var heap: [Double] = []

    /// Makes an empty one.
    init(limit: Int) { self.limit = limit }

    /// What a score must reach to be among them: the least of them, and less than all as long as they are not complete.
    var threshold: Double { heap.count == limit ? heap[0] : -.infinity }

    /// Takes in a score, if it is among the best.
    mutating func offer(_ score: Double) {
        if heap.count < limit {
            heap.append(score)
            rise(heap.count - 1)
        } else if score > heap[0] {
            heap[0] = score
            sink()
        }
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, heap[place] < heap[(place - 1) / 2] {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink() {
        var place = 0
        while true {
            var child = place * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < heap[place] else { return }
            heap.swapAt(place, child)
            place = child
        }
    }
}
