import AgentQueueModel
import Crypto

/// The prompt for a row of a table: a text in which `{{column}}` stands for the row's value. What is filled in is never read as a template.
/// `{{'text'}}` is the text itself, as in templates of pipelines: `{{'{{'}}` writes two braces.
package struct RowTemplate: Sendable {
    private enum Part {
        case text(String)
        case column(String)
    }

    private let parts: [Part]
    /// SHA-256 of its text.
    let digest: [UInt8]

    /// Reads a template.
    /// - Throws: `InputError` if a tag has no end or names no column.
    package init(_ source: String) throws(InputError) {
        var parts: [Part] = []
        var rest = source[...]
        while let start = rest.firstRange(of: "{{") {
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            rest = rest[start.upperBound...].drop { $0 == " " }
            if let quote = rest.first, quote == "'" || quote == "\"" {
                guard let end = Self.literalEnd(in: rest.dropFirst(), quote: quote) else {
                    throw InputError("the template has {{\(quote) without \(quote)}}", kind: .usage)
                }
                parts.append(.text(String(rest.dropFirst()[..<end.lowerBound])))
                rest = rest[end.upperBound...]
                continue
            }
            guard let end = rest.firstRange(of: "}}") else {
                throw InputError("the template has {{ without }} (write {{'{{'}} for the braces themselves)", kind: .usage)
            }
            let name = rest[..<end.lowerBound].reversed().drop { $0 == " " }.reversed()
            guard !name.isEmpty else { throw InputError("the template has {{}}, which names no column", kind: .usage) }
            parts.append(.column(String(name)))
            rest = rest[end.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
        digest = Array(SHA256.hash(data: Array(source.utf8)))
    }

    private static func literalEnd(in text: Substring, quote: Character) -> Range<String.Index>? {
        var rest = text
        while let place = rest.firstIndex(of: quote) {
            let after = text[place...].dropFirst().drop { $0 == " " }
            if after.hasPrefix("}}") { return place..<after.index(after.startIndex, offsetBy: 2) }
            rest = rest[place...].dropFirst()
        }
        return nil
    }

    /// Checks that there are columns of all names.
    /// - Throws: `InputError` that lists the columns.
    func check(_ columns: [String]) throws(InputError) {
        let known = Set(columns.map { ExactText($0) })
        for case .column(let name) in parts where !known.contains(ExactText(name)) { throw Self.unknown(name, columns) }
    }

    private static func unknown(_ name: String, _ columns: [String]) -> InputError {
        // Of names this short, every one is near every other.
        let nearest = name.count > 2 ? Suggestion.nearest(to: name, in: columns) : nil
        let hint = nearest.map { "did you mean \(InvalidText.quoted($0))?" }
        let all = columns.prefix(50).map { InvalidText.quoted($0) }.joined(separator: ", ") + (columns.count > 50 ? ", …" : "")
        return InputError(
            "the template names the column \(InvalidText.quoted(name)), which is not there (\(hint.map { "\($0) " } ?? "")columns: \(all))",
            kind: .badData)
    }

    /// The text for a row.
    /// - Throws: `InputError` if the row has no value of a name.
    func text(for row: [JSONValue.Member]) throws(InputError) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let words): text += words
            case .column(let name):
                guard let value = Self.value(name, in: row) else { throw Self.unknown(name, row.map(\.key)) }
                text += value.string ?? (value.isNull ? "" : value.text)
            }
        }
        return text
    }

    /// The value of a name, or of a path into nested objects.
    private static func value(_ name: String, in row: [JSONValue.Member]) -> JSONValue? {
        let exact = ExactText(name)
        if let member = row.first(where: { ExactText($0.key) == exact }) { return member.value }
        let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.count > 1 else { return nil }
        return path.reduce(JSONValue.object(row) as JSONValue?) { $0?[$1] }
    }
}
