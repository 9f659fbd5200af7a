import JobModel

/// The schemas that OpenAI's strict mode takes: every object lists all its properties as required, and allows no others. Others are
/// passed on as a wish, and every answer is checked here in any case.
///
/// Source: OpenAI, "Structured model outputs", "Supported schemas".
enum StrictSchema {
    /// Whether a schema, and every one inside it, is of that kind.
    static func holds(_ schema: JSONValue) -> Bool {
        switch schema {
        case .array(let elements): elements.allSatisfy(holds)
        case .object(let members):
            isClosed(schema) && members.allSatisfy { member in member.key == "enum" || member.key == "const" || holds(member.value) }
        default: true
        }
    }

    private static func isClosed(_ schema: JSONValue) -> Bool {
        guard schema["properties"]?.members != nil || schema["type"]?.string == "object" else { return true }
        let names = Set((schema["properties"]?.members ?? []).map(\.key))
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        return schema["additionalProperties"] == .bool(false) && required == names
    }
}
