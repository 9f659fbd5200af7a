import JobModel

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
