import AgentQueueModel
import AgentQueuePipelines

/// A made-up answer to a call of a pipeline: as long as the call allows, and of the form that its schema asks for. Numbers and choices grow
/// with each round of a group, so that a loop that waits for a good answer runs all its rounds.
package struct SampleAnswer {
    /// The tokens of an answer whose length the call does not limit.
    static let usualTokens = 500
    /// The elements of a list whose length the schema does not limit.
    static let usualItems = 5
    /// Longer answers make no better estimate.
    private static let maxBytes = 16_000
    private static let maxItems = 100
    private static let maxDepth = 16

    private let root: JSONValue
    private let round: Int

    /// The text of an answer.
    static func text(for call: StepCall) -> String {
        // A judge that chooses the first answer is sure of it.
        if call.path.hasSuffix("~judge") { return #"{"choice": 1, "confidence": 1, "reason": ""}"# }
        guard let schema = call.job.schema else { return filler(min(4 * (call.maxTokens ?? usualTokens), maxBytes)) }
        let round = CallPath(call.path).rounds.last?.round ?? 1
        return SampleAnswer(root: schema, round: round).value(schema, depth: 0).text
    }

    /// A value of the form that a schema asks for, as in the first round of a group.
    package static func value(for schema: JSONValue) -> JSONValue { SampleAnswer(root: schema, round: 1).value(schema, depth: 0) }

    private static func filler(_ bytes: Int) -> String { String(String(repeating: "lorem ipsum ", count: bytes / 12 + 1).prefix(bytes)) }

    private func value(_ schema: JSONValue, depth: Int) -> JSONValue {
        guard depth < Self.maxDepth else { return .null }
        if let path = schema["$ref"]?.string { return value(referred(path), depth: depth + 1) }
        if let constant = schema["const"] { return constant }
        if let choices = schema["enum"]?.array, !choices.isEmpty { return choices[min(round - 1, choices.count - 1)] }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let first = schema[key]?.array?.first { return value(first, depth: depth + 1) }
        }
        let types = schema["type"].map { $0.array ?? [$0] } ?? []
        switch types.compactMap(\.string).first(where: { $0 != "null" }) ?? (schema["properties"] == nil ? "null" : "object") {
        case "string": return .string(text(schema))
        case "integer": return .integer(Int64(min(bound(schema, "minimum", 0) + Double(round - 1), bound(schema, "maximum", 1_000_000))))
        case "number": return .double(min(bound(schema, "minimum", 0) + 0.001 * Double(round), bound(schema, "maximum", 1_000_000)))
        case "boolean": return .bool(false)
        case "array":
            let least = schema["minItems"]?.int ?? 0
            let count = min(max(least, schema["maxItems"]?.int ?? Self.usualItems), Self.maxItems)
            let element = schema["items"].map { value($0, depth: depth + 1) } ?? .string(Self.filler(100))
            return .array(Array(repeating: element, count: max(0, count)))
        case "object":
            return .object((schema["properties"]?.members ?? []).map { .init($0.key, value($0.value, depth: depth + 1)) })
        default: return .null
        }
    }

    private func text(_ schema: JSONValue) -> String {
        let most = schema["maxLength"]?.int ?? 200
        return Self.filler(min(max(0, most, schema["minLength"]?.int ?? 0), 2_000))
    }

    private func bound(_ schema: JSONValue, _ key: String, _ otherwise: Double) -> Double { schema[key]?.number ?? otherwise }

    /// The part of the schema that a reference such as `#/$defs/part` names.
    private func referred(_ path: String) -> JSONValue {
        var part = root
        for name in path.split(separator: "/").dropFirst() { part = part[String(name)] ?? .null }
        return part
    }
}
