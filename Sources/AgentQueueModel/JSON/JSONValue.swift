/// A JSON value that preserves what Foundation's decoders lose: the order of members, and integers beyond 53 bits.
///
/// Requests pass through the queue unchanged, have a canonical form for the cache key, and arrive by the million, which is why the project
/// has its own type. (`JSONSerialization` on Linux turns `1` and `1.0` into the same `NSNumber`, cannot reject a duplicate key, and takes
/// ten times as long.)
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    /// An integer that does not fit `Int64`, as its digits.
    case digits(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One `"key": value` pair of an object.
    public struct Member: Sendable, Hashable {
        /// The key, with escapes resolved.
        public var key: String
        /// The value of the key.
        public var value: JSONValue

        /// Creates a member.
        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Whether the keys have the same code points and the values are equal.
        public static func == (one: Member, other: Member) -> Bool { one.key.isExactly(other.key) && one.value == other.value }
    }

    /// Whether two values are the same: texts by code points, objects with their members in the same order.
    public static func == (one: JSONValue, other: JSONValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.integer(let one), .integer(let other)): one == other
        case (.double(let one), .double(let other)): one == other
        case (.digits(let one), .digits(let other)): one == other
        case (.string(let one), .string(let other)): one.isExactly(other)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): one == other
        default: false
        }
    }

    /// The value of an object's member; nil if there is no such member or this is not an object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.isExactly(key) }?.value
    }

    /// The string; nil if this is not one.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The truth value; nil if this is not one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements; nil if this is not an array.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members in their order; nil if this is not an object.
    public var members: [Member]? { if case .object(let value) = self { value } else { nil } }
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }
    /// The whole number; nil if this is not one or it does not fit `Int`.
    public var int: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }
    /// The number as a `Double`; nil if this is not a number.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .digits(let value): Double(value)
        default: nil
        }
    }

    /// The kind of the value, as error messages name it.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer, .double, .digits: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral
{
    /// Creates a string from a literal.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates a whole number from a literal.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// Creates a truth value from a literal.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Creates a number with a fraction or exponent from a literal.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// Creates an array from a literal.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Creates an object from a literal. Members keep their order, and a repeated key is kept.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
}

extension JSONValue {
    /// A key that is the same for two values if JSON Schema and ``Expression`` consider them equal: numbers by value, objects regardless
    /// of the order of their members, strings by code points (Swift's `==` considers two spellings of `é` equal).
    package var equalityKey: [UInt8] {
        var key: [UInt8] = []
        writeEqualityKey(to: &key)
        return key
    }

    private func writeEqualityKey(to key: inout [UInt8]) {
        switch self {
        case .null, .bool, .string: write(to: &key, sorted: false)
        case .integer, .double, .digits: key += (ExactNumber(self)?.text ?? "?").utf8
        case .array(let elements):
            key.append(UInt8(ascii: "["))
            for element in elements {
                element.writeEqualityKey(to: &key)
                key.append(UInt8(ascii: ","))
            }
            key.append(UInt8(ascii: "]"))
        case .object(let members):
            key.append(UInt8(ascii: "{"))
            for member in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                JSONValue.string(member.key).write(to: &key, sorted: false)
                key.append(UInt8(ascii: ":"))
                member.value.writeEqualityKey(to: &key)
                key.append(UInt8(ascii: ","))
            }
            key.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue {
    /// Whether two values are equal: numbers by value, objects regardless of the order of their members, strings by code points. Values of
    /// different kinds are never equal.
    package func isEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let two)): one == two
        case (.string(let one), .string(let two)): one.utf8.elementsEqual(two.utf8)
        case (.array, .array), (.object, .object): equalityKey == other.equalityKey
        default: precedes(other) == false && other.precedes(self) == false
        }
    }

    /// Whether this sorts before the other: numbers by exact value, strings by code points. Nil if there is no order: for values of
    /// different kinds, and for all other kinds.
    package func precedes(_ other: JSONValue) -> Bool? {
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

extension String {
    /// Whether all code points are the same, as of keys in JSON and names in SQL. (`==` considers two spellings of `é` equal.)
    @inlinable
    package func isExactly(_ other: String) -> Bool {
        // Most texts differ in length or are ASCII, for which `==` is exact and fast.
        utf8.count == other.utf8.count && self == other && utf8.elementsEqual(other.utf8)
    }
}

extension Set<String> {
    /// Whether it has a text with the same code points.
    package func containsExactly(_ text: String) -> Bool { firstIndex(of: text).map { self[$0].isExactly(text) } ?? false }
}

/// A text that equals another only if all code points are the same: the key of a set or dictionary of what users named.
package struct ExactText: Sendable, Hashable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// Compares code points.
    package static func == (one: ExactText, other: ExactText) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    /// Hashes code points.
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
