/// The short form of a flat schema: `name, age int, tags list`, as the `llm` program reads it. A schema of objects needs no more for most
/// questions.
package enum SchemaShorthand {
    /// The types by the words for them. A field without a word is a text.
    private static let types: [(word: String, schema: [JSONValue.Member])] = [
        ("text", [.init("type", "string")]), ("str", [.init("type", "string")]), ("string", [.init("type", "string")]),
        ("int", [.init("type", "integer")]), ("integer", [.init("type", "integer")]),
        ("float", [.init("type", "number")]), ("number", [.init("type", "number")]),
        ("bool", [.init("type", "boolean")]), ("boolean", [.init("type", "boolean")]),
        ("list", [.init("type", "array"), .init("items", ["type": "string"])]),
    ]

    /// Makes the schema: an object with all fields and no others.
    /// - Parameter text: fields between commas, or on lines of their own, each `name`, `name type`, or either with `: description` behind it.
    /// - Throws: `InvalidText`, a clause that names the field.
    package static func schema(_ text: String) throws(InvalidText) -> JSONValue {
        let separator: Character = text.contains("\n") ? "\n" : ","
        var properties: [JSONValue.Member] = []
        for field in text.split(separator: separator, omittingEmptySubsequences: true) {
            let field = trimmed(field)
            guard !field.isEmpty else { continue }
            let property = try property(field)
            guard !properties.contains(where: { ExactText($0.key) == ExactText(property.key) }) else {
                throw InvalidText("names the field \(InvalidText.quoted(property.key)) twice")
            }
            properties.append(property)
        }
        guard !properties.isEmpty else { throw InvalidText("names no field (write fields such as 'name, age int')") }
        return .object([
            .init("type", "object"), .init("properties", .object(properties)),
            .init("required", .array(properties.map { .string($0.key) })), .init("additionalProperties", false),
        ])
    }

    private static func property(_ field: Substring) throws(InvalidText) -> JSONValue.Member {
        let colon = field.firstIndex(of: ":") ?? field.endIndex
        let words = field[..<colon].split(whereSeparator: \.isWhitespace)
        guard let name = words.first else { throw InvalidText("has a field without a name: \(InvalidText.quoted(String(field)))") }
        guard isName(name) else {
            throw InvalidText("has the field \(InvalidText.quoted(String(name))), which is not a name (letters, digits, _ and -)")
        }
        guard words.count <= 2 else {
            throw InvalidText(
                "has the field \(InvalidText.quoted(field[..<colon].description)): write a name and a type, and a description behind ':'")
        }
        let word = words.count == 2 ? words[1].lowercased() : "text"
        guard var members = types.first(where: { $0.word == word })?.schema else {
            let names = ["text", "int", "number", "bool", "list"]
            let hint = Suggestion.nearest(to: word, in: names).map { "did you mean '\($0)'?" } ?? names.joined(separator: ", ")
            throw InvalidText(
                "has the unknown type \(InvalidText.quoted(String(words[1]))) for \(InvalidText.quoted(String(name))) (\(hint))")
        }
        let description = trimmed(field[colon...].dropFirst())
        if !description.isEmpty { members.append(.init("description", .string(String(description)))) }
        return .init(String(name), .object(members))
    }

    private static func isName(_ name: Substring) -> Bool {
        name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
