extension JSONValue {
    /// Bytes that two values share if JSON Schema and ``Expression`` call them equal: numbers by their value, objects whatever the order
    /// of their members, strings code point by code point (Swift's `==` takes two spellings of `é` for one).
    public var equalityKey: [UInt8] {
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
