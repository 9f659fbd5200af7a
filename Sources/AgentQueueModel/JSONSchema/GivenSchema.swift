/// A schema as people give it, which is not always bare: what OpenAI's and Anthropic's documentation shows is the schema in the wrapping of
/// their requests.
package enum GivenSchema {
    /// The schema without OpenAI's wrapping (`{name, strict, schema}`, or `{type: json_schema, json_schema: …}`) or Anthropic's
    /// (`{type: json_schema, schema}`). `true`, which providers do not take, becomes the empty schema, which means the same.
    package static func unwrapped(_ value: JSONValue) -> JSONValue {
        guard let members = value.members else { return value == true ? .object([]) : value }
        guard let schema = value["json_schema"] ?? value["schema"], members.allSatisfy({ wrapping.contains($0.key) }),
            value["type"] == nil || value["type"] == "json_schema"
        else { return value }
        let bare = unwrapped(schema)
        // The wrapping's description is for the model, like the schema's own.
        guard let description = value["description"], description.string != nil, let inner = bare.members, bare["description"] == nil else {
            return bare
        }
        return .object(inner + [.init("description", description)])
    }

    /// Compiles a schema that was unwrapped, and refuses one that certainly is none.
    /// - Throws: `JSONSchemaError`.
    @discardableResult
    package static func compile(_ value: JSONValue) throws(JSONSchemaError) -> JSONSchema {
        let names = (value.members ?? []).map(\.key)
        if !names.isEmpty, !names.contains(where: effective.contains), let strange = names.first(where: { !annotations.contains($0) }) {
            throw JSONSchemaError(
                "it has no keyword of JSON Schema, such as type or properties, and \(ShownJSON.name(strange)) is none", at: "")
        }
        return try JSONSchema(value)
    }

    private static let wrapping: Set<String> = ["type", "json_schema", "name", "description", "strict", "schema"]

    private static let effective: Set<String> = [
        "type", "enum", "const", "$ref", "$defs", "definitions", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "nullable",
        "properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames", "required", "minProperties",
        "maxProperties", "dependentRequired", "dependentSchemas", "dependencies", "items", "prefixItems", "unevaluatedItems", "contains",
        "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format", "contentEncoding", "contentMediaType", "contentSchema",
        "$dynamicRef", "$recursiveRef",
    ]

    private static let annotations: Set<String> = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$comment", "$vocabulary", "title", "description", "default",
        "examples", "example", "deprecated", "readOnly", "writeOnly",
    ]
}
