/// Texts with escapes for what cannot be shown as it is. Which characters these are depends on the reader: a message about a name shows what
/// is invisible in it, while an answer keeps its joined emoji.
package enum EscapedText {
    /// The text with escapes, cut with `…` after `limit` characters.
    /// - Parameter escape: what stands for a character; nil to keep it.
    package static func text(_ text: some StringProtocol, limit: Int = .max, _ escape: (Unicode.Scalar) -> String?) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else { return shown + "…" }
            count += 1
            if let escaped = escape(scalar) { shown += escaped } else { shown.unicodeScalars.append(scalar) }
        }
        return shown
    }

    /// A character by its number: `\u{1b}`.
    package static func number(_ scalar: Unicode.Scalar) -> String { "\\u{\(String(scalar.value, radix: 16))}" }

    /// Whether a character has no shape of its own, or separates lines.
    package static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
