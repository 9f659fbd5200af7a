import JobModel
import ModelCalls

extension JobDraft {
    /// The most that ``budget`` may be, in US dollars.
    static let maxBudget = 1_000_000.0

    /// Whether a parameter says what form the answer has.
    var saysForm: Bool {
        parameters.contains { !$0.value.isNull && ($0.key == "response_format" || $0.key == "output_config" && $0.value["format"] != nil) }
    }

    /// What a JSON Schema becomes in the request.
    static func format(_ schema: JSONValue) -> JSONValue {
        ["type": "json_schema", "json_schema": ["name": "answer", "schema": schema, "strict": .bool(StrictSchema.holds(schema))]]
    }

    /// Checks that answers can be checked: the schema, or the one in `response_format`, must compile.
    func checkSchema(in context: IntakeContext) throws(InputError) {
        if let schema {
            guard !saysForm else { throw InputError("schema and response_format cannot both be given", exit: .badData) }
            guard schema.members != nil else { throw InputError("schema must be an object, not \(schema.kindName)", exit: .badData) }
            return try Self.check(schema, named: "schema", in: context)
        }
        guard kind == .generate, let format = parameters.first(where: { $0.key == "response_format" })?.value,
            format["type"]?.string == "json_schema"
        else { return }
        guard let schema = format["json_schema"]?["schema"] else {
            throw InputError("response_format needs a json_schema with a schema", exit: .badData)
        }
        try Self.check(schema, named: "the schema in response_format", in: context)
    }

    private static func check(_ schema: JSONValue, named name: String, in context: IntakeContext) throws(InputError) {
        guard !context.schemas.holds(schema) else { return }
        guard !TextSize.holdsNUL(schema) else { throw InputError("\(name) holds a NUL character", exit: .badData) }
        do throws(JSONSchemaError) {
            _ = try JSONSchema(schema)
        } catch {
            throw InputError("\(name) cannot be used: \(error.description)", exit: .badData)
        }
        context.schemas.keep(schema)
    }
}
