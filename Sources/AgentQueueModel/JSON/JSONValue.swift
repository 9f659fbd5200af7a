/// A JSON value that keeps what Foundation's decoders lose: members in their order, and integers beyond 53 bits.
///
/// Requests pass through the queue untouched, are made canonical for the cache key, and arrive by the million; hence a
/// value of our own. (`JSONSerialization` on Linux turns `1` and `1.0` into the same `NSNumber`, cannot refuse a
/// duplicate key, and takes ten times as long.)
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    /// An integer that `Int64` cannot hold, as its digits.
    case digits(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One `"key": value` of an object.
    public struct Member: Sendable, Hashable {
        /// The name, its escapes resolved.
        public var key: String
        /// What the name stands for.
        public var value: JSONValue

        /// Makes a member.
        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of an object's member; nil where there is none, or this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The string, if this is one.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The truth value, if this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements, if this is an array.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members, if this is an object.
    public var members: [Member]? { if case .object(let value) = self { value } else { nil } }
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }
    /// The whole number, if this is one that `Int` holds.
    public var int: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }
    /// The number, if this is one.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .digits(let value): Double(value)
        default: nil
        }
    }

    /// What kind of value this is, in the words of an error message.
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
    /// A string, written as a literal.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number, written as a literal.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value, written as a literal.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number with a fraction or exponent, written as a literal.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// An array, written as a literal.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object, written as a literal; its members keep their order, and a repeated key stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
}

extension JSONValue {
    /// Bytes that two values share if JSON Schema and ``Expression`` call them equal: numbers by their value, objects whatever the order
    /// of their members, strings code point by code point (Swift's `==` takes two spellings of `é` for one).
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
    /// Whether two values are equal: numbers by their value, objects whatever the order of their members, strings code point by code
    /// point. Values of two kinds never are.
    package func isEqual(to other: JSONValue) -> Bool {
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

/// A text that equals another only code point by code point, as JSON's names do. (Swift's `==` takes two spellings of `é` for one.)
package struct ExactText: Sendable, Hashable {
    /// The text.
    package let text: String

    /// Wraps a text.
    package init(_ text: String) {
        self.text = text
    }

    /// Code point by code point.
    package static func == (one: ExactText, other: ExactText) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    /// By its code points.
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
