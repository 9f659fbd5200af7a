import JobModel

extension Shape {
    /// What a JSON Schema lets through, as far as it says so plainly.
    init(schema: JSONValue, depth: Int = 0) {
        let combining = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "not", "patternProperties", "dependentSchemas"]
        guard depth < 32, schema.members?.contains(where: { combining.contains($0.key) }) == false else {
            self = .any
            return
        }
        // A type that may also be null is that type to who names its fields.
        let types = (schema["type"]?.array ?? schema["type"].map { [$0] } ?? []).compactMap(\.string).filter { $0 != "null" }
        switch types.count == 1 ? types[0] : "" {
        case "string": self = .text
        case "number", "integer", "boolean": self = .scalar
        case "array": self = .list(schema["items"].map { Shape(schema: $0, depth: depth + 1) } ?? .any)
        case "object":
            var fields: [String: Shape] = [:]
            for member in schema["properties"]?.members ?? [] { fields[member.key] = Shape(schema: member.value, depth: depth + 1) }
            let additional = schema["additionalProperties"]
            self = .object(fields, isOpen: fields.isEmpty || (additional != nil && additional?.bool != false))
        default: self = .any
        }
    }
}
