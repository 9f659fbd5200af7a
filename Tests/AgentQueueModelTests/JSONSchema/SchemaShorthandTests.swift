import AgentQueueModel
import Testing

@Suite struct SchemaShorthandTests {
    private static func schema(_ properties: JSONValue) -> JSONValue {
        .object([
            .init("type", "object"), .init("properties", properties),
            .init("required", .array((properties.members ?? []).map { .string($0.key) })), .init("additionalProperties", false),
        ])
    }

    @Test(
        arguments: [
            ("name, age int", ["name": ["type": "string"], "age": ["type": "integer"]]),
            ("name", ["name": ["type": "string"]]),
            (
                " a float ,b bool,, c number, d list, e TEXT, f str,",
                [
                    "a": ["type": "number"], "b": ["type": "boolean"], "c": ["type": "number"],
                    "d": ["type": "array", "items": ["type": "string"]], "e": ["type": "string"], "f": ["type": "string"],
                ]
            ),
            (
                "name: the full name, age int: in years",
                [
                    "name": ["type": "string", "description": "the full name"], "age": ["type": "integer", "description": "in years"],
                ]
            ),
            (
                "name: last, then first\nage int\n\n",
                [
                    "name": ["type": "string", "description": "last, then first"], "age": ["type": "integer"],
                ]
            ),
            ("caf\u{E9}, cafe\u{301}", ["caf\u{E9}": ["type": "string"], "cafe\u{301}": ["type": "string"]]),
        ] as [(String, JSONValue)])
    func fieldsBecomeAClosedObjectInTheirOrder(_ text: String, _ properties: JSONValue) throws {
        let schema = try SchemaShorthand.schema(text)
        #expect(schema.text == Self.schema(properties).text)
        _ = try JSONSchema(schema)
    }

    @Test(arguments: [
        ("name, age itn", "has the unknown type 'itn' for 'age' (did you mean 'int'?)"),
        ("name thing", "has the unknown type 'thing' for 'name' (text, int, number, bool, list)"),
        ("a, b int, a bool", "names the field 'a' twice"), ("", "names no field (write fields such as 'name, age int')"),
        (" , ,", "names no field (write fields such as 'name, age int')"), (": text", "has a field without a name: ': text'"),
        ("first name text", "has the field 'first name text': write a name and a type, and a description behind ':'"),
        ("a/b", "has the field 'a/b', which is not a name (letters, digits, _ and -)"),
    ])
    func aFaultNamesTheField(_ text: String, _ message: String) {
        #expect(throws: InvalidText(message)) { try SchemaShorthand.schema(text) }
    }
}
