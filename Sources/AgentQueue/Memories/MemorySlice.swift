/// Memories that are stored together, in the order in which they were given.
struct MemorySlice: Sendable {
    /// Each with its namespace.
    var items: [(namespace: String, memory: CheckedMemory)] = []

    /// The most bytes of texts in a slice that holds several.
    static let maxBytes = 4 << 20

    /// The places of each namespace's memories, in order.
    var places: [(namespace: String, places: [Int])] {
        var order: [String: Int] = [:]
        var places: [(namespace: String, places: [Int])] = []
        for (index, item) in items.enumerated() {
            if let group = order[item.namespace] {
                places[group].places.append(index)
            } else {
                order[item.namespace] = places.count
                places.append((item.namespace, [index]))
            }
        }
        return places
    }
}
