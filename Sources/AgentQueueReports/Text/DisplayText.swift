import AgentQueueModel

/// Escapes stored text for display, so that it can neither control a terminal nor reorder text.
package enum DisplayText {
    /// Whether a character is shown as an escape: C0, DEL and C1 controls, marks of writing direction, line and paragraph
    /// separators, and the byte order mark.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// Text on one line, with line breaks escaped, truncated to `limit` characters with `…`.
    package static func line(_ text: some StringProtocol, limit: Int = .max) -> String {
        escaped(text, limit: limit) { _ in false }
    }

    /// Text on several lines: keeps line breaks and tabs.
    package static func lines(_ text: some StringProtocol) -> String {
        escaped(text, limit: .max) { $0 == "\n" || $0 == "\t" }
    }

    private static func escaped(_ text: some StringProtocol, limit: Int, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        let text = String(text)
        // Nearly all text needs no escape. Copying it whole is several times as fast as scalar by scalar.
        if limit == .max, !text.unicodeScalars.contains(where: { isHidden($0) && !isKept($0) }) { return text }
        return EscapedText.text(text, limit: limit) { isHidden($0) && !isKept($0) ? escape($0) : nil }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: EscapedText.number(scalar)
        }
    }
}
