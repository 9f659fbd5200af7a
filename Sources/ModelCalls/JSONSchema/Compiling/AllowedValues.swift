import JobModel

/// The values of an `enum`, or the one of a `const`.
struct AllowedValues: Sendable {
    /// In the order of the schema.
    let values: [JSONValue]
    private let keys: Set<[UInt8]>

    init(_ values: [JSONValue]) {
        self.values = values
        keys = Set(values.map(\.equalityKey))
    }

    func contain(_ value: JSONValue) -> Bool { keys.contains(value.equalityKey) }
}
