/// An answer that must be JSON of a given shape: whether it is, and how to ask again if it is not.
package struct StructuredReply: Sendable {
    /// The most violations that a complaint lists.
    private static let maxComplaints = 5

    private let schema: JSONSchema

    /// Judges by a schema.
    package init(_ schema: JSONSchema) {
        self.schema = schema
    }

    /// What an answer's text turned out to be.
    package enum Verdict: Sendable, Equatable {
        /// What was asked.
        case valid(ReplyValue)
        /// Something else; why, as a sentence without a full stop that quotes no value of the answer.
        case invalid(String)
    }

    /// Judges the value in an answer's text.
    package func judge(_ text: String) -> Verdict {
        let value: ReplyValue
        do {
            value = try ReplyValue(in: text)
        } catch {
            return .invalid(error.description)
        }
        let violations = schema.violations(in: value.json, limit: Self.maxComplaints + 1)
        guard !violations.isEmpty else { return .valid(value) }
        let listed = violations.prefix(Self.maxComplaints).map(\.description).joined(separator: "; ")
        return .invalid(violations.count > Self.maxComplaints ? "\(listed); and more" : listed)
    }

    /// What to add to a conversation so that the model mends its answer.
    /// - Parameters:
    ///   - previous: the bad answer.
    ///   - complaint: what is wrong with it, as from ``judge(_:)``.
    /// - Returns: the bad answer as the assistant's message, and a user's message that asks for a better one.
    package func repairMessages(previous: String, complaint: String) -> [JSONValue] {
        // Providers refuse a message without content.
        let said = previous.allSatisfy(\.isWhitespace) ? "(no answer)" : previous
        let request = """
            Your answer is not the JSON that was asked for: \(complaint). Answer again with the corrected JSON alone: no explanation, \
            no code fence.
            """
        return [["role": "assistant", "content": .string(said)], ["role": "user", "content": .string(request)]]
    }
}

extension ModelRequest {
    /// The JSON Schema that the answer must fit, as asked (`response_format.json_schema.schema`); nil where none is asked.
    package var schemaValue: JSONValue? {
        guard let format = body["response_format"], format["type"]?.string == "json_schema" else { return nil }
        return format["json_schema"]?["schema"]
    }

    /// The JSON Schema that the answer must fit; nil if the request has none. Compiled at every call.
    /// - Throws: `JSONSchemaError` if it cannot be compiled. Intake refuses such a schema, so the stored one is damaged.
    package var schema: JSONSchema? {
        get throws(JSONSchemaError) {
            guard let schemaValue else { return nil }
            return try JSONSchema(schemaValue)
        }
    }
}
