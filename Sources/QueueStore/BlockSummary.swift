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
    ///   - capacity: the most entries of a block. No group has more than twice as many, dead ones included, so that a transaction is short.
    static func groups(of blocks: [BlockSummary], capacity: Int) -> [ArraySlice<BlockSummary>] {
        var groups: [ArraySlice<BlockSummary>] = []
        var window = blocks[0..<0]
        var live = 0
        var entries = 0
        /// Gives out what is worthwhile of the window, else lets go of its first block.
        func shrink() {
            var end = window.startIndex + 1
            if window.count >= 4, live >= 2 * (window.map(\.live).max() ?? 0) {
                groups.append(window)
                end = window.endIndex
            } else if let first = window.firstIndex(where: \.isRotten), let last = window.lastIndex(where: \.isRotten) {
                // What stands around them is well as it is.
                groups.append(window[first...last])
                end = last + 1
            }
            window = window[end...]
            live = window.reduce(0) { $0 + $1.live }
            entries = window.reduce(0) { $0 + $1.entries }
        }
        for index in blocks.indices {
            while !window.isEmpty, live + blocks[index].live > capacity || entries + blocks[index].entries > 2 * capacity { shrink() }
            window = blocks[(window.isEmpty ? index : window.startIndex)...index]
            live += blocks[index].live
            entries += blocks[index].entries
        }
        while !window.isEmpty { shrink() }
        return groups
    }

    /// Whether it is worth writing anew for its dead entries alone.
    private var isRotten: Bool { dead * 4 >= entries }
}
