import Glibc

/// Checks made on every incoming text, at memory speed.
package enum TextSize {
    /// Whether a text is empty or only white space.
    package static func isBlank(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return true }
        // Most texts begin with a letter, which settles it.
        if first > 0x20, first < 0x7F { return false }
        return text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    /// Whether a text contains U+0000, at which C code and many other programs would cut it.
    package static func holdsNUL(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { utf8 in
            utf8.baseAddress.map { memchr($0, 0, utf8.count) != nil } ?? false
        } ?? text.utf8.contains(0)
    }

    /// Whether any text or key in a value contains U+0000.
    package static func holdsNUL(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool, .integer, .double, .digits: false
        case .string(let text): holdsNUL(text)
        case .array(let elements): elements.contains { holdsNUL($0) }
        case .object(let members): members.contains { holdsNUL($0.key) || holdsNUL($0.value) }
        }
    }

    /// An upper bound on the length of a value as JSON, in bytes, without writing it: an escape takes up to six bytes.
    package static func bound(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool, .integer, .double: 32
        case .digits(let text): text.utf8.count + 1
        case .string(let text): 6 * text.utf8.count + 3
        case .array(let elements): elements.reduce(3) { $0 + bound(of: $1) }
        case .object(let members): members.reduce(3) { $0 + 6 * $1.key.utf8.count + 4 + bound(of: $1.value) }
        }
    }
}
