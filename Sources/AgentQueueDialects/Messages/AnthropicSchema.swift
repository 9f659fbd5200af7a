import AgentQueueModel

/// A JSON Schema as Anthropic's structured outputs take it, which refuse bounds of numbers, texts and lists, open objects and recursion.
///
/// As in Anthropic's own libraries, what only bounds a value is put into its description. The schema that is sent may therefore allow more
/// than the one that was given; every answer is checked against that. Source: Anthropic, "Structured outputs", "JSON Schema limitations".
package struct AnthropicSchema {
    private let root: JSONValue
    /// The references that lead to the schema being read, to find those that lead back.
    private var path: [String] = []
    /// The references whose schemas can be sent.
    private var known: Set<String> = []

    /// The schema to send; nil if structured outputs cannot express it.
    package static func sent(_ schema: JSONValue) -> JSONValue? {
        var reader = AnthropicSchema(root: schema)
        return reader.sent(schema)
    }

    private init(root: JSONValue) {
        self.root = root
    }

    private static let formats: Set<JSONValue> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]
    /// Keywords that only bound a value.
    private static let bounds: Set<String> = [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
        "uniqueItems", "minProperties", "maxProperties", "format", "pattern", "examples",
    ]

    private mutating func sent(_ schema: JSONValue) -> JSONValue? {
        guard let members = schema.members else { return nil }
        if let reference = schema["$ref"] { return sent(reference: reference, beside: members) }
        guard ["type", "enum", "const", "anyOf", "oneOf", "allOf"].contains(where: { schema[$0] != nil }) else { return nil }
        var kept: [JSONValue.Member] = []
        var moved: [String] = []
        for member in members {
            switch member.key {
            case "type", "title", "description", "required", "default": kept.append(member)
            case "enum", "const":
                guard (member.value.array ?? [member.value]).allSatisfy({ $0.members == nil && $0.array == nil }) else { return nil }
                kept.append(member)
            case "properties", "$defs", "definitions":
                guard let values = sent(each: member.value.members ?? []) else { return nil }
                kept.append(.init(member.key, .object(values)))
            case "items":
                guard let items = sent(member.value) else { return nil }
                kept.append(.init("items", items))
            case "anyOf", "oneOf", "allOf":
                guard let schemas = sent(all: member.value.array ?? [], of: member.key) else { return nil }
                kept.append(.init(member.key == "allOf" ? "allOf" : "anyOf", .array(schemas)))
            case "additionalProperties": continue
            case _ where Self.takes(member): kept.append(member)
            case _ where Self.bounds.contains(member.key): moved.append("\(member.key): \(member.value.text)")
            case "$schema", "$id", "$comment", "$anchor", "discriminator", "deprecated", "readOnly", "writeOnly": continue
            default: return nil
            }
        }
        guard let closed = closed(schema, kept) else { return nil }
        return .object(Self.describe(closed, moved))
    }

    /// A reference stands alone.
    private mutating func sent(reference: JSONValue, beside members: [JSONValue.Member]) -> JSONValue? {
        guard let name = reference.string, let target = definition(name), !path.contains(name) else { return nil }
        if !known.contains(name) {
            path.append(name)
            defer { path.removeLast() }
            guard sent(target) != nil else { return nil }
            known.insert(name)
        }
        var kept: [JSONValue.Member] = [.init("$ref", reference)]
        for member in members where ["$defs", "definitions"].contains(member.key) {
            guard let values = sent(each: member.value.members ?? []) else { return nil }
            kept.append(.init(member.key, .object(values)))
        }
        return .object(kept)
    }

    private func definition(_ reference: String) -> JSONValue? {
        for place in ["$defs", "definitions"] where reference.hasPrefix("#/\(place)/") {
            return root[place]?[String(reference.dropFirst(place.count + 3))]
        }
        return nil
    }

    private mutating func sent(each members: [JSONValue.Member]) -> [JSONValue.Member]? {
        var values: [JSONValue.Member] = []
        for member in members {
            guard let value = sent(member.value) else { return nil }
            values.append(.init(member.key, value))
        }
        return values
    }

    private mutating func sent(all schemas: [JSONValue], of keyword: String) -> [JSONValue]? {
        var all: [JSONValue] = []
        for schema in schemas {
            guard keyword != "allOf" || schema["$ref"] == nil, let schema = sent(schema) else { return nil }
            all.append(schema)
        }
        return all
    }

    private static func takes(_ member: JSONValue.Member) -> Bool {
        switch member.key {
        case "minItems": member.value == 0 || member.value == 1
        case "format": formats.contains(member.value)
        // Groups that look around or set flags, references back and word boundaries are not taken.
        case "pattern": !["(?", "\\b", "\\B", "\\1", "\\k"].contains { (member.value.string ?? "").contains($0) }
        default: false
        }
    }

    /// An object that has no other properties. One that lists its properties may be closed, for what fits then also fits the schema as
    /// given; one that is meant to have any may not.
    private func closed(_ schema: JSONValue, _ kept: [JSONValue.Member]) -> [JSONValue.Member]? {
        let types = schema["type"].map { $0.array ?? [$0] } ?? []
        guard types.contains("object") || schema["properties"] != nil else { return kept }
        let rest = schema["additionalProperties"]
        guard rest == false || schema["properties"]?.members?.isEmpty == false && (rest == nil || rest == true) else { return nil }
        return kept + [.init("additionalProperties", false)]
    }

    private static func describe(_ members: [JSONValue.Member], _ moved: [String]) -> [JSONValue.Member] {
        guard !moved.isEmpty else { return members }
        let clause = "(\(moved.joined(separator: ", ")))"
        guard let place = members.firstIndex(where: { $0.key == "description" }), let words = members[place].value.string else {
            return members + [.init("description", .string(clause))]
        }
        var members = members
        members[place].value = .string("\(words) \(clause)")
        return members
    }
}
