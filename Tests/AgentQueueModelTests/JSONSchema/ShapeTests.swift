import AgentQueueModel
import Testing

@Suite struct ShapeTests {
    @Test(
        arguments: [
            ("5", "a schema must be an object, true or false, not a number"),
            (#"{"properties": []}"#, "properties must be an object, not a list"),
            (#"{"properties": {"a": {"properties": 3}}}"#, "at /properties/a: properties must be an object, not a number"),
            (#"{"properties": {"a/b~": "x"}}"#, "at /properties/a~1b~0: a schema must be an object, true or false, not a string"),
            (#"{"type": "strng"}"#, "type must be one of null, boolean, integer, number, string, array, object, not 'strng'"),
            (#"{"type": 3}"#, "type must be a type's name or a list of them, not a number"),
            (#"{"type": []}"#, "type must be a type's name or a list of them, not a list"),
            (#"{"items": {"type": [3]}}"#, "at /items: type must be a list of strings, but holds a number"),
            (#"{"enum": {}}"#, "enum must be a list, not an object"),
            (#"{"enum": []}"#, "enum must not be an empty list"),
            (#"{"anyOf": []}"#, "anyOf must not be an empty list"),
            (#"{"allOf": {"a": 1}}"#, "allOf must be a list, not an object"),
            (#"{"oneOf": [true, 7]}"#, "at /oneOf/1: a schema must be an object, true or false, not a number"),
            (#"{"required": "a"}"#, "required must be a list of strings, not a string"),
            (#"{"required": [1]}"#, "required must be a list of strings, but holds a number"),
            (#"{"required": true}"#, "required must be a list of strings, not a truth value"),
            (#"{"minLength": -1}"#, "minLength must be a whole number of at least 0, not -1"),
            (#"{"maxItems": 1.5}"#, "maxItems must be a whole number of at least 0, not 1.5"),
            (#"{"maxItems": "3"}"#, "maxItems must be a whole number, not a string"),
            (#"{"minimum": "3"}"#, "minimum must be a number, not a string"),
            (#"{"exclusiveMinimum": true}"#, "exclusiveMinimum must be a number, the bound itself, not a truth value"),
            (#"{"multipleOf": 0}"#, "multipleOf must be greater than 0, not 0"),
            (#"{"multipleOf": -2}"#, "multipleOf must be greater than 0, not -2"),
            (#"{"multipleOf": 123456789012345678901234567891}"#, "multipleOf has too many digits"),
            (#"{"uniqueItems": 1}"#, "uniqueItems must be true or false, not a number"),
            (#"{"items": [true]}"#, "items must be a schema, not a list; for a list of schemas, use prefixItems"),
            (#"{"pattern": 3}"#, "pattern must be a string, not a number"),
            (#"{"pattern": "("}"#, "the pattern '(' cannot be used at character 1: '(' without its ')'"),
            (#"{"dependentRequired": {"a": 3}}"#, "a must be a list of strings, not a number"),
            (#"{"$defs": {"a": 3}}"#, "at /$defs/a: a schema must be an object, true or false, not a number"),
            (#"{"$ref": 3}"#, "$ref must be a string, not a number"),
            (##"{"$ref": "#/$defs/a"}"##, "$ref '#/$defs/a' leads to nothing"),
            (##"{"items": {"$ref": "#/x~2"}}"##, "at /items: $ref '#/x~2' has a broken escape"),
            (##"{"$ref": "#/%zz"}"##, "$ref '#/%zz' has a broken escape"),
            (##"{"$ref": "#nowhere"}"##, "$ref '#nowhere' names an anchor that is not there"),
            (##"{"$ref": "#/prefixItems/00", "prefixItems": [true]}"##, "$ref '#/prefixItems/00' leads to nothing"),
            (#"{"$ref": "other.json"}"#, "$ref 'other.json' leads out of the schema; only references within it are supported"),
            (##"{"$dynamicRef": "#a"}"##, "$dynamicRef is not supported; use $ref"),
            (#"{"items": {"$id": "a"}}"#, "at /items: $id is supported only for the schema as a whole"),
            (#"{"dependencies": {}}"#, "dependencies is not supported; use dependentRequired or dependentSchemas"),
            (
                #"{"allOf": [true], "unevaluatedProperties": false}"#,
                "unevaluatedProperties beside allOf is not supported; list all properties in one schema, with additionalProperties"
            ),
            (
                #"{"contains": true, "unevaluatedItems": false}"#,
                "unevaluatedItems beside contains is not supported; describe all elements in one schema, with items"
            ),
            (#"{"nullable": "yes"}"#, "nullable must be true or false, not a string"),
            (
                #"{"type": "OBJECT"}"#,
                "type must be one of null, boolean, integer, number, string, array, object, not 'OBJECT'; write 'object'"
            ),
            (#"{"prefixItems": [{"$anchor": "a"}, {"$anchor": "a"}]}"#, "at /prefixItems/1: $anchor 'a' stands twice"),
            (##"{"$ref": "#"}"##, "the schema leads back to itself without end"),
            (##"{"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}"##, "without end"),
            (##"{"dependentSchemas": {"x": {"$ref": "#"}}}"##, "without end"),
        ])
    func refusals(_ text: String, _ sentence: String) throws {
        let value = try JSONValue.parse(text)
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(value) }
        let description = error?.description ?? ""
        #expect(description == sentence || sentence == "without end" && description.hasSuffix(sentence), "\(description)")
    }

    /// Schemas for one value that lead to each other in a long chain, and schemas deep within each other, end with a sentence, not a stack.
    @Test func depthIsBounded() throws {
        var definitions: [JSONValue.Member] = []
        for number in 0..<5_000 { definitions.append(.init("d\(number)", ["$ref": .string("#/$defs/d\(number + 1)")])) }
        definitions.append(.init("d5000", true))
        let chained = #expect(throws: JSONSchemaError.self) { try JSONSchema(["$ref": "#/$defs/d0", "$defs": .object(definitions)]) }
        #expect(chained?.problem == "more than 60 schemas for one value lead to each other")

        var nested: JSONValue = true
        for _ in 0..<300 { nested = ["items": nested] }
        let deep = #expect(throws: JSONSchemaError.self) { try JSONSchema(nested) }
        #expect(deep?.problem == "schemas are nested deeper than 200")
    }

    @Test func sizeIsBounded() {
        let many = JSONValue.array(Array(repeating: true, count: 20_001))
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(["prefixItems": many]) }
        #expect(error?.problem == "there are more than 20000 schemas")
    }
}
