/// Slots by the time at which they expire: a binary heap that knows where each slot stands, so that any can be taken out.
struct ExpiryOrder {
    private struct Element {
        var time: Int64
        var slot: Int32
    }

    private var heap: [Element] = []
    /// Where a slot stands in the heap.
    private var places: [Int32] = []

    /// The slot that expires first; nil where there is none.
    var first: (time: Int64, slot: Int32)? { heap.first.map { ($0.time, $0.slot) } }

    /// Adds a slot that is not among them.
    mutating func insert(_ slot: Int32, at time: Int64) {
        if Int(slot) == places.count { places.appendTightly(0) }
        heap.appendTightly(Element(time: time, slot: slot))
        places[Int(slot)] = Int32(heap.count - 1)
        rise(heap.count - 1)
    }

    /// Takes out a slot that is among them.
    mutating func remove(_ slot: Int32) {
        let place = Int(places[Int(slot)])
        let last = heap.removeLast()
        guard place < heap.count else { return }
        put(last, at: place)
        rise(place)
        sink(Int(places[Int(last.slot)]))
    }

    private mutating func put(_ element: Element, at place: Int) {
        heap[place] = element
        places[Int(element.slot)] = Int32(place)
    }

    private mutating func rise(_ start: Int) {
        var place = start
        let element = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard element.time < heap[parent].time else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(element, at: place)
    }

    private mutating func sink(_ start: Int) {
        var place = start
        let element = heap[place]
        while true {
            var child = place * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < element.time else { break }
            put(heap[child], at: place)
            place = child
        }
        put(element, at: place)
    }
}
