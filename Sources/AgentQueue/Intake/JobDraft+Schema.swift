import AgentQueueModel
import Synchronization

extension JobDraft {
    /// Whether a parameter determines the format of the answer.
    var saysForm: Bool {
        parameters.contains { !$0.value.isNull && ($0.key == "response_format" || $0.key == "output_config" && $0.value["format"] != nil) }
    }

    /// A JSON Schema as the `response_format` of a request.
    static func format(_ schema: JSONValue) -> JSONValue {
        ["type": "json_schema", "json_schema": ["name": "answer", "schema": schema, "strict": .bool(StrictSchema.holds(schema))]]
    }

    /// Checks that answers can be validated: the schema, or the one in `response_format`, must compile.
    func checkSchema(in context: IntakeContext) throws(InputError) {
        if let schema {
            guard !saysForm else { throw InputError("schema and response_format cannot both be given", kind: .badData) }
            guard schema.members != nil else { throw InputError("schema must be an object, not \(schema.kindName)", kind: .badData) }
            return try Self.check(schema, named: "schema", in: context)
        }
        guard kind == .generate, let format = parameters.first(where: { $0.key == "response_format" })?.value,
            format["type"]?.string == "json_schema"
        else { return }
        guard let schema = format["json_schema"]?["schema"] else {
            throw InputError("response_format needs a json_schema with a schema", kind: .badData)
        }
        try Self.check(schema, named: "the schema in response_format", in: context)
    }

    private static func check(_ schema: JSONValue, named name: String, in context: IntakeContext) throws(InputError) {
        guard !context.schemas.holds(schema) else { return }
        guard !TextSize.holdsNUL(schema) else { throw InputError("\(name) holds a NUL character", kind: .badData) }
        do throws(JSONSchemaError) {
            _ = try JSONSchema(schema)
        } catch {
            throw InputError("\(name) cannot be used: \(error.description)", kind: .badData)
        }
        context.schemas.keep(schema)
    }
}

/// The schemas that OpenAI's strict mode accepts: every object lists all its properties as required, and allows no others. Other schemas
/// are sent without strict mode. Every answer is validated here in any case.
///
/// Source: OpenAI, "Structured model outputs", "Supported schemas".
enum StrictSchema {
    /// Whether strict mode accepts a schema and every schema inside it.
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

/// The last valid schema. The lines of a file usually share one, and compiling it takes longer than everything else about a line.
final class SchemaMemory: Sendable {
    private let last = Mutex<JSONValue?>(Optional.none)

    /// Whether this schema is the last valid one.
    func holds(_ schema: JSONValue) -> Bool { last.withLock { $0 } == schema }

    func keep(_ schema: JSONValue) { last.withLock { $0 = schema } }
}
