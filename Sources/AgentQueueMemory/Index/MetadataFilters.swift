import AgentQueueModel

/// Filters on the metadata of an index: columns of the values asked for so far, and the slot sets of recent filters.
///
/// Everything is cached for the current assignment of slots; call ``clear()`` when slots move.
struct MetadataFilters {
    /// The number of finished sets to cache.
    private static let maxFinished = 32

    private struct Finished {
        var filter: ExactText
        var places: SlotSet
    }

    /// The memory limit for columns, in bytes; the least recently used are dropped first.
    private let maxBytes: Int
    private var columns: [ExactText: MetadataColumn] = [:]
    /// The most recently used is last.
    private var finished: [Finished] = []
    private var uses = 0

    /// - Parameter maxBytes: the memory limit for columns. Default: 256 MiB.
    init(maxBytes: Int = 256 << 20) { self.maxBytes = maxBytes }

    /// Approximate memory use, in bytes.
    var bytes: Int { columns.values.reduce(0) { $0 + $1.bytes } + finished.reduce(0) { $0 + $1.places.words.count * 8 } }

    mutating func clear() {
        columns = [:]
        finished = []
    }

    /// The slots whose metadata matches a filter.
    /// - Parameters:
    ///   - slots: the current number of slots.
    ///   - load: passes on the metadata of slots from the given one on, once for each slot that has metadata, in any order.
    mutating func places(
        of filter: Expression, slots: Int, load: (_ from: Int, _ body: (_ slot: Int, _ metadata: JSONValue) -> Void) throws -> Void
    ) rethrows -> SlotSet {
        let key = ExactText(filter.description)
        if let place = finished.firstIndex(where: { $0.filter == key && $0.places.slots == slots }) {
            let known = finished.remove(at: place)
            finished.append(known)
            return known.places
        }
        try fill(FilterLeaf.all(of: filter), to: slots, load)
        let places = evaluate(filter, slots)
        finished.removeAll { $0.filter == key || $0.places.slots != slots }
        finished.append(Finished(filter: key, places: places))
        if finished.count > Self.maxFinished { finished.removeFirst() }
        dropUnused()
        return places
    }

    /// Reads whatever the columns of a filter are missing, in one pass.
    private mutating func fill(
        _ leaves: [FilterLeaf], to slots: Int, _ load: (Int, (_ slot: Int, _ metadata: JSONValue) -> Void) throws -> Void
    ) rethrows {
        uses += 1
        var filled: [(key: ExactText, column: MetadataColumn, from: Int)] = []
        for leaf in leaves {
            let key = leaf.key
            guard !filled.contains(where: { $0.key == key }) else { continue }
            // Removed from the dictionary while it is filled: a second reference would force a copy at the first change, and if reading
            // throws, a half-filled column must not stay.
            var column = columns.removeValue(forKey: key) ?? MetadataColumn(leaf.source)
            column.lastUsed = uses
            filled.append((key, column, column.count))
            filled[filled.count - 1].column.extend(to: slots)
        }
        let from = filled.map(\.from).min() ?? slots
        if from < slots {
            try load(from) { slot, metadata in
                for index in filled.indices where slot >= filled[index].from { filled[index].column.set(slot, from: metadata) }
            }
        }
        for (key, column, _) in filled { columns[key] = column }
    }

    private func evaluate(_ filter: Expression, _ slots: Int) -> SlotSet {
        switch filter {
        case .literal(let value): return SlotSet(slots: slots, all: value.bool == true)
        case .and(let parts):
            var places = SlotSet(slots: slots, all: true)
            for part in parts { places.formIntersection(evaluate(part, slots)) }
            return places
        case .or(let parts):
            var places = SlotSet(slots: slots, all: false)
            for part in parts { places.formUnion(evaluate(part, slots)) }
            return places
        case .not(let part):
            var places = evaluate(part, slots)
            places.invert()
            return places
        default:
            let leaf = FilterLeaf(filter)
            return columns[leaf.key]?.places(where: leaf.condition) ?? SlotSet(slots: slots, all: false)
        }
    }

    private mutating func dropUnused() {
        var bytes = columns.values.reduce(0) { $0 + $1.bytes }
        for (key, column) in columns.sorted(by: { $0.value.lastUsed < $1.value.lastUsed }) {
            guard bytes > maxBytes else { return }
            bytes -= column.bytes
            columns[key] = nil
        }
    }
}

/// An atom of a filter (not `and`, `or` or `not`), split into the value it reads from the metadata and the condition on that value.
struct FilterLeaf {
    /// The field, if the atom uses exactly one; otherwise the whole atom.
    let source: Expression
    /// The condition on the value of the source, which it calls `$`.
    let condition: Expression

    /// Splits an atom.
    init(_ part: Expression) {
        switch part {
        case .field: (source, condition) = (part, .field([]))
        case .exists(let path): (source, condition) = (.field(path), .exists([]))
        case .isIn(.field(let path), let list): (source, condition) = (.field(path), .isIn(.field([]), list))
        case .comparison(.field(let path), let comparison, .literal(let value)):
            (source, condition) = (.field(path), .comparison(.field([]), comparison, .literal(value)))
        case .comparison(.literal(let value), let comparison, .field(let path)):
            (source, condition) = (.field(path), .comparison(.literal(value), comparison, .field([])))
        default: (source, condition) = (part, .field([]))
        }
    }

    /// The key of the column.
    var key: ExactText { ExactText(source.description) }

    /// The atoms of a filter that need a column.
    static func all(of filter: Expression) -> [FilterLeaf] {
        switch filter {
        case .literal: []
        case .and(let parts), .or(let parts): parts.flatMap(all)
        case .not(let part): all(of: part)
        default: [FilterLeaf(filter)]
        }
    }
}
