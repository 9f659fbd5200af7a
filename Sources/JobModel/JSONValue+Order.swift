extension JSONValue {
    /// Whether two values are equal: numbers by their value, objects whatever the order of their members, strings code point by code
    /// point. Values of two kinds never are.
    public func isEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let two)): one == two
        case (.string(let one), .string(let two)): one.utf8.elementsEqual(two.utf8)
        case (.array, .array), (.object, .object): equalityKey == other.equalityKey
        default: precedes(other) == false && other.precedes(self) == false
        }
    }

    /// Whether this stands before the other: numbers by their value, exactly, and strings by their code points. Nil where there is no
    /// such order: for two kinds, and for all other kinds.
    public func precedes(_ other: JSONValue) -> Bool? {
        switch (self, other) {
        case (.string(let one), .string(let two)): return one.utf8.lexicographicallyPrecedes(two.utf8)
        case (.integer(let one), .integer(let two)): return one < two
        case (.double(let one), .double(let two)): return one < two
        case (.integer(let one), .double(let two)) where one.magnitude <= 1 << 53: return Double(one) < two
        case (.double(let one), .integer(let two)) where two.magnitude <= 1 << 53: return one < Double(two)
        default:
            guard let one = ExactNumber(self), let two = ExactNumber(other) else { return nil }
            return one < two
        }
    }
}
