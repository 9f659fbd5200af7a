import JobModel

/// A value of JSON as a key: equal to what `Expression` calls equal.
struct ExactValue: Hashable {
    /// The value.
    let value: JSONValue

    static func == (one: ExactValue, other: ExactValue) -> Bool { one.value.isEqual(to: other.value) }

    func hash(into hasher: inout Hasher) {
        switch value {
        case .string(var text): text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        case .bool(let bool): hasher.combine(bool)
        // Equal numbers have equal doubles, though not the other way round.
        case .integer, .double, .digits: hasher.combine(value.number)
        case .null: break
        case .array, .object: hasher.combine(value.equalityKey)
        }
    }
}
