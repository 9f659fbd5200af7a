import AgentQueueModel
import AgentQueueSettings
import FoundationEssentials
import Glibc

/// Values of a job as people write them, on the command line and in JSONL.
package enum JobText {
    /// Reads a duration such as `10m` or `1h30m`; a plain number is seconds.
    /// - Parameter name: the option or key, for the message.
    /// - Returns: whole milliseconds.
    /// - Throws: `InputError` (`usage`).
    package static func duration(_ text: String, named name: String) throws(InputError) -> Duration {
        do {
            return .milliseconds(try DurationText.parse(text).milliseconds)
        } catch {
            throw InputError("\(name) \(error.message)", exit: .usage)
        }
    }

    /// Reads an RFC 3339 time.
    /// - Parameter name: the option or key, for the message.
    /// - Throws: `InputError` (`usage`).
    package static func time(_ text: String, named name: String) throws(InputError) -> Date {
        do {
            return Date(milliseconds: try TimeText.parseRFC3339(text))
        } catch {
            throw InputError("\(name) \(error.message)", exit: .usage)
        }
    }

    /// Makes an object of `key=value` texts, in their order; values are strings, and may hold `=`. Nil for an empty list.
    /// - Throws: `InputError` (`usage`) where `=` or the key is missing, or a key stands twice.
    package static func metadata(_ pairs: [String]) throws(InputError) -> JSONValue? {
        var members: [JSONValue.Member] = []
        var seen = Set<String>()
        for pair in pairs {
            guard let sign = pair.utf8.firstIndex(of: UInt8(ascii: "=")), sign > pair.startIndex else {
                throw InputError("metadata \(InvalidText.quoted(pair)) is not of the form key=value", exit: .usage)
            }
            let key = String(pair[..<sign])
            guard seen.insert(key).inserted else {
                throw InputError("metadata \(InvalidText.quoted(key)) is given twice", exit: .usage)
            }
            members.append(.init(key, .string(String(pair[pair.utf8.index(after: sign)...]))))
        }
        // A bare nil would be the value null.
        return members.isEmpty ? Optional.none : .some(.object(members))
    }
}

/// What is asked of every text on its way in, at memory speed.
enum TextSize {
    /// Whether a text holds nothing but white space, or nothing at all.
    static func isBlank(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return true }
        // Most texts begin with a letter, which settles it.
        if first > 0x20, first < 0x7F { return false }
        return text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    /// Whether a text holds the character U+0000, at which C and much else would cut it.
    static func holdsNUL(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { utf8 in
            utf8.baseAddress.map { memchr($0, 0, utf8.count) != nil } ?? false
        } ?? text.utf8.contains(0)
    }

    /// Whether any text in a value, or any key, holds U+0000.
    static func holdsNUL(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool, .integer, .double, .digits: false
        case .string(let text): holdsNUL(text)
        case .array(let elements): elements.contains { holdsNUL($0) }
        case .object(let members): members.contains { holdsNUL($0.key) || holdsNUL($0.value) }
        }
    }

    /// No less than the length of a value as JSON, in bytes, without writing it: an escape takes up to six bytes.
    static func bound(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool, .integer, .double: 32
        case .digits(let text): text.utf8.count + 1
        case .string(let text): 6 * text.utf8.count + 3
        case .array(let elements): elements.reduce(3) { $0 + bound(of: $1) }
        case .object(let members): members.reduce(3) { $0 + 6 * $1.key.utf8.count + 4 + bound(of: $1.value) }
        }
    }
}
