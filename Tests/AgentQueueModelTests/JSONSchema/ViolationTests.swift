import Testing

@testable import AgentQueueModel

@Suite struct ViolationTests {
    private static func sentences(_ schema: String, _ value: String, limit: Int = 10) throws -> [String] {
        try JSONSchema(JSONValue.parse(schema)).violations(in: JSONValue.parse(value), limit: limit).map(\.description)
    }

    @Test(
        arguments: [
            (#"{"type": "integer"}"#, "1.5", ["the value must be a whole number, not a number with a fraction"]),
            (#"{"type": ["string", "null", "array"]}"#, "{}", ["the value must be null, a string or a list, not an object"]),
            (
                #"{"properties": {"items": {"items": {"properties": {"price": {"type": "number"}}}}}}"#,
                #"{"items": [{}, {"price": "3"}]}"#, ["/items/1/price must be a number, not a string"]
            ),
            (#"{"enum": ["a", 1, null]}"#, #""b""#, [#"the value must be one of "a", 1, null, not another string"#]),
            (#"{"const": 3}"#, "[]", ["the value must be 3, not a list"]),
            (#"{"minimum": 0.5}"#, "-3", ["the value must be at least 0.5"]),
            (#"{"exclusiveMaximum": 3}"#, "3", ["the value must be less than 3"]),
            (#"{"multipleOf": 0.01}"#, "0.005", ["the value must be a multiple of 0.01"]),
            (#"{"minLength": 2}"#, #""é""#, ["the value must have at least 2 characters, not 1"]),
            (#"{"maxItems": 1}"#, "[1, 2]", ["the value must have at most 1 element, not 2"]),
            (#"{"uniqueItems": true}"#, "[1, 2, 1.0]", ["the value must have no two equal elements, but 0 and 2 are"]),
            (#"{"contains": {"const": 1}}"#, "[2]", ["the value must have at least 1 element of the kind that 'contains' asks for, not 0"]),
            (#"{"pattern": "^a$"}"#, #""b""#, [#"the value must fit the pattern ^a$"#]),
            (#"{"required": ["a", "b"]}"#, "{}", ["the value must have the member 'a'", "the value must have the member 'b'"]),
            (#"{"additionalProperties": false}"#, #"{"x": 1}"#, ["the value must not have the member 'x'"]),
            (
                #"{"propertyNames": {"maxLength": 1}}"#, #"{"xy": 1}"#,
                ["the value must not have a member named 'xy': it must have at most 1 character, not 2"]
            ),
            (#"{"dependentRequired": {"a": ["b"]}}"#, #"{"a": 1}"#, ["the value must have the member 'b', because it has 'a'"]),
            (#"{"properties": {"a": false}}"#, #"{"a": 1}"#, ["/a is not allowed"]),
            (#"{"not": {"type": "null"}}"#, "null", ["the value must not be what 'not' describes"]),
            (
                #"{"properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}"#, #"{"x": 3}"#,
                ["/x must fit one of 2 forms (anyOf): must be a string, not a number; or must be null, not a number"]
            ),
            (
                #"{"anyOf": [{"properties": {"a": {"type": "null"}}, "required": ["a"]}, {"type": "string"}]}"#, #"{"a": 1}"#,
                ["/a must be null, not a number"]
            ),
            (#"{"oneOf": [true, true]}"#, "1", ["the value must fit exactly one of 2 forms (oneOf), but fits several"]),
            (#"{"if": true, "then": {"minimum": 5}}"#, "1", ["the value must be at least 5"]),
            (#"{"properties": {"a/b": {"properties": {"c~d": false}}}}"#, #"{"a/b": {"c~d": 1}}"#, ["/a~1b/c~0d is not allowed"]),
        ] as [(String, String, [String])])
    func sentences(_ schema: String, _ value: String, _ wanted: [String]) throws {
        #expect(try Self.sentences(schema, value) == wanted)
    }

    /// Where several schemas of a choice could have been meant, each says its reason; where one, what is wrong is said in its place.
    @Test func aChoiceIsExplained() throws {
        let choice = #"{"anyOf": [{"required": ["a"]}, {"properties": {"b": {"type": "null"}}}, {"type": "string"}]}"#
        #expect(
            try Self.sentences(choice, #"{"b": 1}"#) == [
                "the value must fit one of 3 forms (anyOf): must have the member 'a'; or /b must be null, not a number; "
                    + "or must be a string, not an object"
            ])
        let optional =
            ##"{"oneOf": [{"type": "null"}, {"$ref": "#/$defs/p"}, {"const": 3}, false], "##
            + ##""$defs": {"p": {"type": "object", "required": ["n"], "properties": {"m": {"type": "null"}}}}}"##
        #expect(try Self.sentences(optional, #"{"m": 1}"#) == ["/m must be null, not a number", "the value must have the member 'n'"])
    }

    /// Violations are kept with errors, which hold nothing of an answer: its values are named by kind, however they fail.
    @Test(
        arguments: [
            (#"{"type": "null"}"#, "4711"), (#"{"type": "integer"}"#, "4711.5"), (#"{"enum": [1, "a"]}"#, #""4711""#),
            (#"{"const": 1}"#, "4711"), (#"{"maximum": 1}"#, "4711"), (#"{"multipleOf": 2}"#, "4711"), (#"{"pattern": "^a$"}"#, #""4711""#),
            (#"{"anyOf": [{"const": "a"}, {"maxLength": 1}]}"#, #""4711""#),
        ])
    func quotesNoValue(_ schema: String, _ value: String) throws {
        let sentences = try Self.sentences(schema, value)
        #expect(!sentences.isEmpty)
        #expect(!sentences.joined().contains("4711"))
    }

    /// A fault deep in a list that is linked by "another or null" is found, and named in its place.
    @Test func aFaultDeepInsideIsNamed() throws {
        let node = ##"{"type": "object", "properties": {"v": {"type": "null"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}"##
        var value: JSONValue = ["v": 1]
        for _ in 0..<120 { value = ["next": value] }
        let schema = try JSONSchema(JSONValue.parse(node))
        let violations = schema.violations(in: value)
        #expect(violations.map(\.pointer) == [String(repeating: "/next", count: 120) + "/v"])
        #expect(violations.map(\.message) == ["must be null, not a number"])
        #expect(!schema.accepts(value))
    }

    @Test func stopsAtTheLimit() throws {
        let value = "[\(Array(repeating: "1", count: 50).joined(separator: ","))]"
        #expect(try Self.sentences(#"{"items": {"type": "string"}}"#, value).count == 10)
        #expect(try Self.sentences(#"{"items": {"type": "string"}}"#, value, limit: 3).count == 3)
        #expect(try Self.sentences(#"{"items": {"type": "string"}}"#, value, limit: 0).count == 1)
        #expect(try Self.sentences(#"{"items": {"type": "string"}}"#, value, limit: 100).count == 50)
    }

    /// A name that a model wrote is quoted in short, and can do nothing to a terminal or a log.
    @Test func quotesLittle() throws {
        let long = String(repeating: "x", count: 100_000)
        let control = "\u{1B}[31m\u{202E}\n"
        let value = JSONValue.object([
            .init("a", .string(control + long)), .init(control + long, 1), .init("b", .string(control)),
        ])
        let schema = try JSONSchema([
            "properties": ["a": ["enum": .array([.string(long)])], "b": ["pattern": "^x$"]], "additionalProperties": ["type": "null"],
            "propertyNames": ["maxLength": 10],
        ])
        let violations = schema.violations(in: value)
        #expect(violations.count == 4)
        for violation in violations {
            #expect(violation.description.count < 420)
            for scalar in violation.description.unicodeScalars {
                #expect(scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format)
            }
        }
    }

    /// A schema whose parts multiply, and a value nested beyond all sense, are refused in bounded time and stack.
    @Test func workIsBounded() throws {
        var definitions: [JSONValue.Member] = [.init("d26", ["type": "integer"])]
        for number in 0..<26 {
            let next = JSONValue.string("#/$defs/d\(number + 1)")
            definitions.append(.init("d\(number)", ["allOf": [["$ref": next], ["$ref": next]]]))
        }
        let schema = try JSONSchema(["items": ["$ref": "#/$defs/d0"], "$defs": .object(definitions)])
        #expect(
            schema.violations(in: [1], work: 100_000).map(\.message) == [
                "takes too long to be checked: it is too large, or the schema too intricate"
            ])

        let list = try JSONSchema(JSONValue.parse(##"{"type": "array", "items": {"$ref": "#"}}"##))
        var deep: JSONValue = []
        for _ in 0..<127 { deep = [deep] }
        #expect(list.accepts(deep))
        for _ in 0..<500 { deep = [deep] }
        #expect(list.violations(in: deep).map(\.message) == ["is nested too deeply to be checked"])
    }
}
