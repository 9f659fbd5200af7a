/// A pattern for names in which `*` stands for any characters, none included: `claude-*`, `openai/*`, `*`.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    /// The pattern as written.
    package let text: String

    /// The longest pattern, in bytes.
    package static let maxBytes = 256

    /// - Throws: If it is empty, too long, or holds spaces or control characters.
    package init(_ text: String) throws(InvalidText) {
        guard !text.isEmpty, text.utf8.count <= Self.maxBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw InvalidText(
                "\(InvalidText.quoted(text)) is not a pattern (1 to \(Self.maxBytes) bytes without spaces; * stands for any characters)")
        }
        self.text = text
    }

    package var description: String { text }

    /// Whether the whole name fits. The time is at most the product of both lengths.
    package func matches(_ name: String) -> Bool {
        let (pattern, name) = (Array(text.utf8), Array(name.utf8))
        let star = UInt8(ascii: "*")
        var (place, read) = (0, 0)
        // Where to go on if what follows the last star does not fit: the star then takes one more byte.
        var retry: (place: Int, read: Int)?
        while read < name.count {
            if place < pattern.count, pattern[place] == star {
                place += 1
                retry = (place, read)
            } else if place < pattern.count, pattern[place] == name[read] {
                place += 1
                read += 1
            } else if let last = retry {
                retry = (last.place, last.read + 1)
                (place, read) = (last.place, last.read + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == star }
    }
}
