/// The parser's messages, in this program's form.
enum UsageText {
    /// One sentence that begins small and ends without a full stop.
    static func sentence(_ message: String) -> String {
        var text = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        if text.hasSuffix(".") { text.removeLast() }
        guard let first = text.first else { return "the command line is not understood; see --help" }
        return first.lowercased() + text.dropFirst()
    }
}
