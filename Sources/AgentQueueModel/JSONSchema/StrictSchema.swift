/// The schemas that OpenAI's strict mode takes. A schema that it does not take is sent without strict mode: there the model follows it as
/// well as it can. Every answer is checked here in either case, against the whole schema.
///
/// Keywords are allowed by name, since strict mode refuses a request with any that it does not know. Source: OpenAI, "Structured model
/// outputs", "Supported schemas"; and what OpenAI's own libraries refuse to send.
package enum StrictSchema {
    /// Whether strict mode takes a schema: an object, with all its properties required and no others allowed, and so for every object in
    /// it.
    package static func holds(_ schema: JSONValue) -> Bool {
        guard let members = schema.members, schema["type"] == "object", schema["anyOf"] == nil else { return false }
        // `$schema` only says that it is a schema.
        var properties = 0
        return holds(.object(members.filter { $0.key != "$schema" }), depth: 1, &properties)
    }

    /// How deep objects and lists may be nested, and how many properties there may be in all.
    private static let maxDepth = 10
    private static let maxProperties = 5_000

    private static let formats: Set<JSONValue> = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]

    private static func holds(_ schema: JSONValue, depth: Int, _ properties: inout Int) -> Bool {
        guard let members = schema.members, depth <= maxDepth else { return false }
        // A reference stands alone, without even a description.
        if schema["$ref"] != nil { return members.count == 1 && schema["$ref"]?.string?.hasPrefix("#") == true }
        guard schema["type"] != nil || schema["anyOf"]?.array != nil, isClosed(schema, &properties) else { return false }
        if types(schema).contains("array"), schema["items"] == nil { return false }
        return members.allSatisfy { holds($0, depth, &properties) }
    }

    private static func holds(_ member: JSONValue.Member, _ depth: Int, _ properties: inout Int) -> Bool {
        switch member.key {
        case "type", "required", "additionalProperties", "enum", "const", "title", "description", "multipleOf", "minimum", "maximum",
            "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems":
            return true
        case "format": return formats.contains(member.value)
        case "pattern": return !looksAround(member.value.string ?? "")
        case "items": return holds(member.value, depth: depth + 1, &properties)
        case "properties":
            return (member.value.members ?? []).allSatisfy { holds($0.value, depth: depth + 1, &properties) }
        case "$defs", "definitions": return (member.value.members ?? []).allSatisfy { holds($0.value, depth: depth, &properties) }
        case "anyOf": return (member.value.array ?? []).allSatisfy { holds($0, depth: depth, &properties) }
        default: return false
        }
    }

    private static func types(_ schema: JSONValue) -> [JSONValue] { schema["type"].map { $0.array ?? [$0] } ?? [] }

    private static func isClosed(_ schema: JSONValue, _ properties: inout Int) -> Bool {
        guard schema["properties"] != nil || types(schema).contains("object") else { return true }
        let names = Set((schema["properties"]?.members ?? []).map { ExactText($0.key) })
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string).map(ExactText.init))
        properties += names.count
        return schema["additionalProperties"] == false && required == names && properties <= maxProperties
    }

    /// Whether a pattern has lookarounds or flags: groups that begin with `(?`, except those that only do not capture.
    private static func looksAround(_ pattern: String) -> Bool {
        pattern.ranges(of: "(?").contains { !pattern[$0.upperBound...].hasPrefix(":") }
    }
}
