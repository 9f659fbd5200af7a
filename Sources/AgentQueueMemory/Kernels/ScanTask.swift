import Dispatch
import Synchronization

/// The state shared by the threads of one search: what to scan, and how far they have got.
///
/// @unchecked because of pointers and chunks, which are not Sendable: during a search nothing of an index changes but the atomics here.
final class ScanTask: @unchecked Sendable {
    /// The number of slots scanned together, so that their intermediate results stay in the nearest cache. The size of a chunk is a
    /// multiple of it.
    static let segment = 4_096

    let chunks: [VectorChunk]
    let slots: Int
    /// One bit for each slot, set for those that may be found.
    let allowed: [UInt64]
    let query: QuantizedQuery
    let bounds: ScoreBounds
    let limit: Int
    /// Entries that have expired by then are ignored.
    let now: Int64
    /// Added to the score of each slot.
    let bonus: UnsafePointer<Float>?
    /// Used to exclude most slots before their codes are read; nil for a scan of the codes alone.
    let sketch: SketchQuery?

    private let nextSegment = Atomic<Int>(0)
    /// A Double, as its bits.
    private let sharedThreshold = Atomic<UInt64>((-Double.infinity).bitPattern)

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

    /// The next slots that no thread has scanned; nil at the end.
    func next() -> Range<Int>? {
        let start = nextSegment.wrappingAdd(1, ordering: .relaxed).oldValue * Self.segment
        return start < slots ? start..<min(start + Self.segment, slots) : nil
    }

    /// The chunk of a slot, and the position of the slot in it.
    func place(_ slot: Int) -> (chunk: VectorChunk, local: Int) { (chunks[slot / VectorChunk.capacity], slot % VectorChunk.capacity) }

    /// The score that a candidate must reach, according to what all threads have seen.
    var threshold: Double { Double(bitPattern: sharedThreshold.load(ordering: .relaxed)) }

    /// Raises the shared threshold. If two threads race, the lower value may remain, which is a valid threshold too.
    func raise(_ threshold: Double) {
        if threshold > self.threshold { sharedThreshold.store(threshold.bitPattern, ordering: .relaxed) }
    }

    // MARK: Running

    /// The result of a scan.
    struct Result {
        /// The slots that may be among the nearest, with their highest possible scores.
        var candidates: [Scanner.Candidate] = []
        /// The score that a candidate must reach.
        var threshold = -Double.infinity
        var counts = ScanCounts()
        var threads = 1
    }

    /// The number of bytes that makes it worth waking a thread: about a fifth of a millisecond.
    private static let worthwhile = 4 << 20

    /// Scans everything, on up to the given number of threads, including the caller's.
    func run(threads: Int) -> Result {
        let rowBytes = sketch == nil ? query.values.count : SketchBasis.count / 2
        let count = max(1, min(threads, slots * rowBytes / Self.worthwhile))
        // Each is used by one thread, and read after all have finished.
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

/// The highest scores seen, up to a limit: a binary heap with the lowest on top.
struct BestScores {
    private let limit: Int
    private(set) var heap: [Double] = []

    init(limit: Int) { self.limit = limit }

    /// The score that a new one must exceed: the lowest in the heap, or minus infinity while it is not full.
    var threshold: Double { heap.count == limit ? heap[0] : -.infinity }

    /// Adds a score if it is among the best.
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
