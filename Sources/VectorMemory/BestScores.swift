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
