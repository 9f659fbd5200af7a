import AgentQueueModel
import Testing

/// What OpenAI's strict mode takes.
@Suite struct StrictSchemaTests {
    /// A property in an object that is closed.
    private static func closed(_ property: String, _ more: String = "") -> String {
        #"{"type":"object","properties":{"a":\#(property)},"required":["a"],"additionalProperties":false\#(more)}"#
    }

    @Test(
        arguments: [
            closed(#"{"type":"string"}"#), closed(#"{"type":["string","null"],"description":"d","title":"t"}"#),
            closed(#"{"type":"string","enum":["x","y"]}"#), closed(#"{"type":"string","format":"date-time"}"#),
            closed(#"{"type":"string","pattern":"^(?:a|b)+$"}"#), closed(#"{"type":"integer","minimum":0,"maximum":9,"multipleOf":3}"#),
            closed(#"{"type":"array","items":{"type":"number"},"minItems":1,"maxItems":3}"#),
            closed(#"{"anyOf":[{"type":"null"},\#(closed(#"{"type":"boolean"}"#))]}"#),
            closed(##"{"$ref":"#/$defs/D"}"##, #","$defs":{"D":{"type":"string"}}"#),
            closed(##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##),
            closed(#"{"type":"string","const":"x"}"#),
            #"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{},"required":[],"additionalProperties":false}"#,
            // A property may have any name.
            #"{"type":"object","properties":{"oneOf":{"type":"string"}},"required":["oneOf"],"additionalProperties":false}"#,
        ])
    func takes(_ schema: String) throws {
        #expect(StrictSchema.holds(try JSONValue.parse(schema)))
    }

    @Test(
        arguments: [
            "{}", "true", #"{"type":"object"}"#, #"{"type":"array","items":{"type":"string"}}"#, #"{"anyOf":[{"type":"null"}]}"#,
            ##"{"$ref":"#/$defs/N","$defs":{"N":\##(closed(#"{"type":"string"}"#))}}"##,
            #"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
            #"{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}"#,
            closed(#"{"type":"object"}"#), closed("{}"), closed("true"), closed(#"{"type":"array"}"#),
            closed(#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#), closed(#"{"allOf":[{"type":"string"}]}"#),
            closed(#"{"type":"string","not":{"const":"x"}}"#), closed(#"{"type":"string","default":"x"}"#),
            closed(#"{"type":"array","items":{"type":"string"},"uniqueItems":true}"#), closed(#"{"type":"string","minLength":1}"#),
            closed(#"{"type":"string","format":"uri"}"#), closed(#"{"type":"string","pattern":"^(?!x)"}"#),
            closed(#"{"type":"string","nullable":true}"#), closed(#"{"type":"array","prefixItems":[{"type":"string"}]}"#),
            closed(#"{"type":"object","patternProperties":{"^x":{"type":"string"}},"additionalProperties":false}"#),
            closed(##"{"$ref":"#/$defs/D","description":"d"}"##, #","$defs":{"D":{"type":"string"}}"#),
            closed(##"{"$ref":"#/$defs/D"}"##, #","$defs":{"D":{"type":"object"}}"#), closed(#"{"type":"string"}"#, #","if":{},"then":{}"#),
        ])
    func refuses(_ schema: String) throws {
        #expect(!StrictSchema.holds(try JSONValue.parse(schema)))
    }

    @Test func depthIsBounded() throws {
        var (text, deepest) = (#"{"type":"string"}"#, 0)
        while StrictSchema.holds(try JSONValue.parse(Self.closed(text))) {
            text = Self.closed(text)
            deepest += 1
        }
        #expect(deepest == 9)
    }
}
