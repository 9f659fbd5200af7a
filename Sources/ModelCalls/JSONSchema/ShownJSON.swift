import JobModel

/// Pieces of a value or a schema in a sentence: short, and harmless to a terminal.
enum ShownJSON {
    /// The most characters quoted of anything.
    static let limit = 60

    /// A text without control and formatting characters, cut.
    static func clean(_ text: String, limit: Int = limit) -> String {
        var shown = String.UnicodeScalarView()
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else {
                shown.append("…")
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: shown.append("\u{FFFD}")
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// A member's name, in quotes.
    static func name(_ name: String) -> String { "'\(clean(name))'" }

    /// A value as JSON, cut; of lists and objects, what kind they are.
    static func value(_ value: JSONValue) -> String {
        switch value {
        case .array, .object: value.kindName
        // Cut first: the value may have megabytes.
        case .string(let text): clean(JSONValue.string(String(text.prefix(limit + 1))).text)
        case .digits(let text): clean(text)
        case .null, .bool, .integer, .double: value.text
        }
    }

    /// Several values, joined by commas; of many, the first.
    static func list(_ values: [JSONValue], most: Int = 8) -> String {
        let shown = values.prefix(most).map { value($0) }.joined(separator: ", ")
        return values.count > most ? "\(shown) and \(values.count - most) others" : shown
    }

    /// `1 member`, `2 members`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
