import JobModel

/// What foreach goes through.
extension Evaluation {
    func items(of foreach: ForeachPlan, at place: Place, path: String) throws(Halt) -> [JSONValue] {
        let value = try values([foreach.reference], at: place).value(at: foreach.reference.path)
        let items: [JSONValue]
        switch foreach.way {
        case .elements:
            // What was skipped has no elements.
            guard let elements = value.isNull ? [] : value.array else {
                throw .failed("\(path) failed: what it is to be made for is \(value.kindName), not a list")
            }
            items = elements
        case .split(let size, let overlap):
            let size = number(size, in: Foreach.sizes)
            let overlap = min(number(overlap, in: 0...Foreach.sizes.upperBound), size / 2)
            items = texts(of: value).flatMap { TextPieces.split($0, size: size, overlap: overlap, most: Foreach.maxItems + 1) }
                .map(JSONValue.string)
        case .join(let size):
            items = TextPieces.joined(texts(of: value), size: number(size, in: Foreach.sizes)).map(JSONValue.string)
        }
        guard items.count <= Foreach.maxItems else {
            throw .failed("\(path) failed: more than \(Foreach.maxItems) items (split its list over several runs)")
        }
        return items
    }

    /// A text, or those of a list; what is none as JSON, and nothing for null.
    private func texts(of value: JSONValue) -> [String] {
        (value.array ?? [value]).compactMap { $0.isNull ? nil : $0.string ?? $0.text }
    }
}
