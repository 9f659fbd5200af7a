import JobModel

/// The types that `type` allows.
struct SchemaTypes: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)

    /// Each by its name in a schema and in a sentence.
    private static let all: [(name: String, words: String, type: SchemaTypes)] = [
        ("null", "null", .null), ("boolean", "true or false", .boolean), ("integer", "a whole number", .integer),
        ("number", "a number", .number), ("string", "a string", .string), ("array", "a list", .array), ("object", "an object", .object),
    ]

    /// The names that `type` knows.
    static var names: [String] { all.map(\.name) }

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The type of a name; nil for a name that none has.
    init?(name: String) {
        guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
        self = found.type
    }

    /// Whether a value is of one of these types. `1.0` is a whole number.
    func allow(_ value: JSONValue) -> Bool {
        switch value {
        case .null: contains(.null)
        case .bool: contains(.boolean)
        case .string: contains(.string)
        case .array: contains(.array)
        case .object: contains(.object)
        case .integer, .digits: contains(.number) || contains(.integer)
        case .double(let number): contains(.number) || contains(.integer) && number.rounded() == number
        }
    }

    /// `a string or null`
    var words: String {
        let words = Self.all.filter { contains($0.type) }.map(\.words)
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return "\(words.dropLast().joined(separator: ", ")) or \(last)"
    }
}
