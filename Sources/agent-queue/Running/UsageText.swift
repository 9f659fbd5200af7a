/// The parser's messages, in this program's form.
enum UsageText {
    /// One sentence that begins small and ends without a full stop.
    static func sentence(_ message: String) -> String {
        var text = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        if let hint = text.firstRange(of: ". Did you mean "), text.hasSuffix("?") {
            text = "\(text[..<hint.lowerBound]) (did you mean \(text[hint.upperBound...]))"
        }
        if text.hasSuffix(".") { text.removeLast() }
        if let complaint = complaint(in: text) { return complaint }
        guard let first = text.first else { return "the command line is not understood; see --help" }
        return first.lowercased() + text.dropFirst()
    }

    /// `The value 'x' is invalid for '--state <state>': why` says twice what is enough once: `--state: why`.
    private static func complaint(in text: String) -> String? {
        guard text.hasPrefix("The value '"), let middle = text.firstRange(of: "' is invalid for '--"),
            let end = text[middle.upperBound...].firstRange(of: "': ")
        else { return nil }
        let option = text[middle.upperBound..<end.lowerBound].prefix { $0 != " " }
        return "--\(option): \(text[end.upperBound...])"
    }
}
