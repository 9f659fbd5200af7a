import JobModel

extension ModelRequest {
    /// The JSON Schema that the answer must fit, as asked (`response_format.json_schema.schema`); nil where none is asked.
    public var schemaValue: JSONValue? {
        guard let format = body["response_format"], format["type"]?.string == "json_schema" else { return nil }
        return format["json_schema"]?["schema"]
    }

    /// The JSON Schema that the answer must fit; nil where none is asked. Compiled at every call. (Intake has refused what cannot be
    /// compiled.)
    public var schema: JSONSchema? { schemaValue.flatMap { try? JSONSchema($0) } }
}
