/// Why a text is not a valid value: one clause for a person, without the name of the key, option or file it came from.
///
/// The caller that knows the name puts it in front: `SettingsError` for a configuration, the command line for an option.
package struct InvalidText: Error, Equatable, Sendable, CustomStringConvertible {
    /// A clause such as `'5x' is not a duration (write 10ms, 30s, 1h30m or 7d)`. It never holds a raw control character.
    package let message: String

    /// - Parameter message: user input in it must have gone through ``quoted(_:)``.
    package init(_ message: String) {
        self.message = message
    }

    /// The clause, without the name of what it is about.
    package var description: String { message }

    /// User input made safe for a message: in single quotes, control characters escaped, cut after 80 characters.
    package static func quoted(_ text: String) -> String {
        "'\(printable(text))'"
    }

    /// Like ``quoted(_:)``, without the quotes.
    package static func printable(_ text: String, limit: Int = 80) -> String {
        EscapedText.text(text, limit: limit) { EscapedText.isInvisible($0) ? EscapedText.number($0) : nil }
    }
}

extension Substring.UTF8View {
    /// The text without spaces and tabs at either end.
    func trimmingSpaces() -> Substring.UTF8View {
        var view = self
        while let first = view.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { view = view.dropFirst() }
        while let last = view.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { view = view.dropLast() }
        return view
    }
}
