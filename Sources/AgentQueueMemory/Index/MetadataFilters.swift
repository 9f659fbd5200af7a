import AgentQueueModel

/// Filters on the metadata of an index's places: columns of what was asked for, and the sets of the latest filters.
///
/// What it holds is of one state of places: ``clear()`` when these move.
struct MetadataFilters {
    /// How many finished sets are kept.
    private static let maxFinished = 32

    private struct Finished {
        var filter: ExactText
        var places: SlotSet
    }

    /// How many bytes columns may keep; the longest unused go first.
    private let maxBytes: Int
    private var columns: [ExactText: MetadataColumn] = [:]
    /// The latest last.
    private var finished: [Finished] = []
    private var uses = 0

    /// Makes it empty.
    /// - Parameter maxBytes: for columns; 256 MiB unless told.
    init(maxBytes: Int = 256 << 20) { self.maxBytes = maxBytes }

    /// What it takes in memory, about.
    var bytes: Int { columns.values.reduce(0) { $0 + $1.bytes } + finished.reduce(0) { $0 + $1.places.words.count * 8 } }

    /// Forgets all.
    mutating func clear() {
        columns = [:]
        finished = []
    }

    /// The places whose metadata fulfils a filter.
    /// - Parameters:
    ///   - slots: how many places there are now.
    ///   - load: gives the metadata of places from one on, once for each place that has some, in any order.
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

    /// Reads what the columns of a filter lack, in one pass.
    private mutating func fill(
        _ leaves: [FilterLeaf], to slots: Int, _ load: (Int, (_ slot: Int, _ metadata: JSONValue) -> Void) throws -> Void
    ) rethrows {
        uses += 1
        var filled: [(key: ExactText, column: MetadataColumn, from: Int)] = []
        for leaf in leaves {
            let key = leaf.key
            guard !filled.contains(where: { $0.key == key }) else { continue }
            // Taken out while it is filled: a copy in two places would be copied at the first change, and one that was half filled, where
            // reading throws, is gone.
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

/// A part of a filter that is neither and, or nor not: what it asks of the metadata, and what of the value that this comes to.
struct FilterLeaf {
    /// A field, where the part is about one; else the part itself.
    let source: Expression
    /// The condition on the source's value, as `$`.
    let condition: Expression

    /// Takes a part to pieces.
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

    /// What columns are found by.
    var key: ExactText { ExactText(source.description) }

    /// The parts of a filter that need a column.
    static func all(of filter: Expression) -> [FilterLeaf] {
        switch filter {
        case .literal: []
        case .and(let parts), .or(let parts): parts.flatMap(all)
        case .not(let part): all(of: part)
        default: [FilterLeaf(filter)]
        }
    }
}
