/// A block as it is described, without its entries.
struct BlockSummary: Equatable {
    /// The number of its first entry.
    var id: Int64
    /// The number of its last entry.
    var last: Int64
    var entries: Int
    /// How many of them are dead.
    var dead: Int

    var live: Int { entries - dead }

    /// Which neighbours are to become one block, or to be written anew without their dead: a quarter of dead entries is worth it; else four
    /// blocks or more that become at least twice the largest of them, so that an entry is rewritten a few times in its life and no more.
    /// - Parameters:
    ///   - blocks: all of a space, in order.
    ///   - capacity: the most entries of a block.
    static func groups(of blocks: [BlockSummary], capacity: Int) -> [ArraySlice<BlockSummary>] {
        var groups: [ArraySlice<BlockSummary>] = []
        var window = blocks[0..<0]
        var live = 0
        func isWorthwhile() -> Bool {
            window.contains { $0.dead * 4 >= $0.entries } || (window.count >= 4 && live >= 2 * (window.map(\.live).max() ?? 0))
        }
        /// Gives the window out if it is worthwhile, else lets go of its first block.
        func shrink() {
            if isWorthwhile() {
                groups.append(window)
                window = blocks[window.endIndex..<window.endIndex]
                live = 0
            } else {
                live -= window.removeFirst().live
            }
        }
        for index in blocks.indices {
            while !window.isEmpty, live + blocks[index].live > capacity { shrink() }
            window = blocks[(window.isEmpty ? index : window.startIndex)...index]
            live += blocks[index].live
        }
        while !window.isEmpty { shrink() }
        return groups
    }
}
