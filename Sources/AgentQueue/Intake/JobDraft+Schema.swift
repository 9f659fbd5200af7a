import AgentQueueModel
import Synchronization

extension JobDraft {
    /// Whether a parameter determines the format of the answer.
    var saysForm: Bool {
        parameters.contains { !$0.value.isNull && ($0.key == "response_format" || $0.key == "output_config" && $0.value["format"] != nil) }
    }

    /// A JSON Schema, as given, as the `response_format` of a request.
    static func format(_ schema: JSONValue) -> JSONValue {
        let schema = GivenSchema.unwrapped(schema)
        return ["type": "json_schema", "json_schema": ["name": "answer", "schema": schema, "strict": .bool(StrictSchema.holds(schema))]]
    }

    /// Checks that answers can be validated: the schema, or the one in `response_format`, must compile.
    func checkSchema(in context: IntakeContext) throws(InputError) {
        if let schema {
            guard !saysForm else { throw InputError("schema and response_format cannot both be given", kind: .badData) }
            let schema = GivenSchema.unwrapped(schema)
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
            try GivenSchema.compile(schema)
        } catch {
            throw InputError("\(name) cannot be used: \(error.description)", kind: .badData)
        }
        context.schemas.keep(schema)
    }
}

/// The last valid schema. The lines of a file usually share one, and compiling it takes longer than everything else about a line.
final class SchemaMemory: Sendable {
    private let last = Mutex<JSONValue?>(Optional.none)

    /// Whether this schema is the last valid one.
    func holds(_ schema: JSONValue) -> Bool { last.withLock { $0 } == schema }

    func keep(_ schema: JSONValue) { last.withLock { $0 = schema } }
}
