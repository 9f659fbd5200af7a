import JobModel

/// Values cut to what a line can show.
enum ShortValue {
    /// The most characters of a text.
    static let most = 60
    /// How many of them stand before the place that matters.
    private static let before = 20

    /// Numbers and truth values as they are; texts and all else from their beginning.
    static func of(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): of(text, around: 0)
        case .array, .object: of(value.text, around: 0)
        default: value
        }
    }

    /// A text around one of its characters, `…` where something is left out.
    static func of(_ text: String, around position: Int) -> JSONValue {
        let scalars = text.unicodeScalars
        // Where the text is short, or the place near its beginning, it starts there.
        let skipped = scalars.dropFirst(most).isEmpty || position <= before ? 0 : position - before
        let kept = scalars.dropFirst(skipped).prefix(most)
        var shown = String.UnicodeScalarView(skipped > 0 ? ["…"] : [])
        shown.append(contentsOf: kept)
        if kept.endIndex < scalars.endIndex { shown.append("…") }
        return .string(String(shown))
    }
}
