/// A compiled schema. Subschemas are referred to by their index in the list of all nodes.
struct SchemaNode: Sendable {
    /// The result for every value, if the schema is a boolean.
    var verdict: Bool?
    /// Whether null is allowed, whatever else is said (`nullable`, as in OpenAPI 3.0).
    var isNullable = false
    var types: SchemaTypes?
    /// `enum` and `const`: the value must be in each of the lists.
    var allowed: [AllowedValues] = []
    var number = NumberRule()
    var text = TextRule()
    var list = ListRule()
    var object = ObjectRule()
    /// Subschemas that apply to the same value.
    var inPlace: [InPlaceRule] = []
}

/// The types allowed by `type`.
struct SchemaTypes: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)

    /// Each with its name in a schema and its name in a sentence.
    private static let all: [(name: String, words: String, type: SchemaTypes)] = [
        ("null", "null", .null), ("boolean", "true or false", .boolean), ("integer", "a whole number", .integer),
        ("number", "a number", .number), ("string", "a string", .string), ("array", "a list", .array), ("object", "an object", .object),
    ]

    /// The names accepted by `type`.
    static var names: [String] { all.map(\.name) }

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The type of a name; nil for an unknown name.
    init?(name: String) {
        guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
        self = found.type
    }

    /// Whether a value has one of these types. `1.0` counts as an integer.
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

/// Subschemas for the same value, and how many of them it must satisfy.
enum InPlaceRule: Sendable {
    case reference(Int)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)

    var schemas: [Int] {
        switch self {
        case .reference(let schema), .not(let schema): [schema]
        case .all(let schemas), .any(let schemas), .one(let schemas): schemas
        case .condition(let condition, let then, let otherwise): [condition] + [then, otherwise].compactMap { $0 }
        }
    }
}

/// The keywords for objects.
struct ObjectRule: Sendable {
    var least: Int?
    var most: Int?
    /// What applies to a member by its name.
    var members: [ExactText: Member] = [:]
    /// The required members, in the order of the schema.
    var required: [String] = []
    /// The schemas of members whose names match a pattern.
    var patterns: [(pattern: SchemaPattern, schema: Int)] = []
    /// The schema of members that no name or pattern covers.
    var rest: Int?
    /// The schema of the member names.
    var names: Int?
    /// `dependentRequired`: what is required if a member is present.
    var companions: [(name: String, required: [String])] = []
    /// `dependentSchemas`: the schema of the whole object if a member is present.
    var dependents: [(name: String, schema: Int)] = []

    /// What applies to one member.
    struct Member: Sendable {
        var schema: Int?
        /// Its index among the required ones.
        var requiredPlace: Int?
    }

    /// Whether it has no effect.
    var isEmpty: Bool {
        least == nil && most == nil && members.isEmpty && patterns.isEmpty && rest == nil && names == nil && companions.isEmpty
            && dependents.isEmpty
    }
}

/// The keywords for lists.
struct ListRule: Sendable {
    var least: Int?
    var most: Int?
    var isUnique = false
    /// `prefixItems`: the schemas of the first elements.
    var first: [Int] = []
    /// `items`: the schema of all other elements.
    var rest: Int?
    /// `contains`: the schema that some elements must satisfy.
    var wanted: Int?
    /// `minContains`.
    var leastWanted = 1
    /// `maxContains`.
    var mostWanted: Int?

    /// Whether it has no effect.
    var isEmpty: Bool { least == nil && most == nil && !isUnique && first.isEmpty && rest == nil && wanted == nil }
}

/// The keywords for strings. Lengths are in code points.
struct TextRule: Sendable {
    var least: Int?
    var most: Int?
    var pattern: SchemaPattern?

    /// Whether it has no effect.
    var isEmpty: Bool { least == nil && most == nil && pattern == nil }
}

/// The keywords for numbers.
struct NumberRule: Sendable {
    var bounds: [Bound] = []
    var multipleOf: Limit?

    /// A number, and its spelling in the schema.
    struct Limit: Sendable {
        var value: ExactNumber
        var shown: String
    }

    /// One end of a range.
    struct Bound: Sendable {
        var kind: Kind
        var limit: Limit

        enum Kind: String, Sendable {
            case minimum
            case maximum
            case exclusiveMinimum
            case exclusiveMaximum

            /// The requirement in words, to be followed by the number.
            var words: String {
                switch self {
                case .minimum: "at least"
                case .maximum: "at most"
                case .exclusiveMinimum: "greater than"
                case .exclusiveMaximum: "less than"
                }
            }
        }

        func allows(_ number: ExactNumber) -> Bool {
            switch kind {
            case .minimum: number >= limit.value
            case .maximum: number <= limit.value
            case .exclusiveMinimum: number > limit.value
            case .exclusiveMaximum: number < limit.value
            }
        }
    }

    /// Whether it has no effect.
    var isEmpty: Bool { bounds.isEmpty && multipleOf == nil }
}

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

/// A pattern of a schema, as written and compiled.
struct SchemaPattern: Sendable {
    let source: String
    let program: PatternProgram

    init(_ source: String) throws(PatternError) {
        self.source = source
        program = try PatternProgram(source)
    }
}
