import AgentQueueModel
import Foundation
import Testing

/// Schemas as people give them.
@Suite struct GivenSchemaTests {
    @Test(
        arguments: [
            #"{"name":"p","strict":true,"schema":S}"#, #"{"schema":S}"#, #"{"type":"json_schema","json_schema":{"name":"p","schema":S}}"#,
            #"{"type":"json_schema","name":"p","schema":S}"#, #"{"json_schema":{"schema":S}}"#, "S",
        ])
    func theWrappingIsTakenOff(_ text: String) throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#
        let value = try JSONValue.parse(text.replacing("S", with: schema))
        #expect(GivenSchema.unwrapped(value).text == schema)
    }

    @Test(
        arguments: [
            // A wrapping's description is the model's to read.
            (#"{"name":"p","description":"d","schema":{"type":"null"}}"#, #"{"type":"null","description":"d"}"#),
            (#"{"name":"p","description":"d","schema":{"description":"own"}}"#, #"{"description":"own"}"#),
            // A property called `schema` is no wrapping.
            (#"{"properties":{"schema":{}},"schema":{}}"#, #"{"properties":{"schema":{}},"schema":{}}"#),
            (#"{"type":"object","schema":{}}"#, #"{"type":"object","schema":{}}"#),
            ("true", "{}"), ("false", "false"), ("{}", "{}"),
        ])
    func whatIsNoWrappingStays(_ text: String, _ schema: String) throws {
        #expect(GivenSchema.unwrapped(try JSONValue.parse(text)).text == schema)
    }

    @Test(arguments: ["{}", "true", #"{"title":"t"}"#, #"{"$comment":"c","x-own":1,"items":true}"#, #"{"nullable":true}"#])
    func aSchemaIsTaken(_ text: String) throws {
        #expect(throws: Never.self) { try GivenSchema.compile(JSONValue.parse(text)) }
    }

    @Test(
        arguments: [
            (#"{"name":"p","strict":true}"#, "name"), (#"{"a":{"type":"string"}}"#, "a"),
            (#"{"description":"d","parameters":{"type":"object"}}"#, "parameters"),
        ])
    func whatIsCertainlyNoneIsRefused(_ text: String, _ name: String) throws {
        let value = try JSONValue.parse(text)
        let error = #expect(throws: JSONSchemaError.self) { try GivenSchema.compile(value) }
        #expect(error?.description == "it has no keyword of JSON Schema, such as type or properties, and '\(name)' is none")
    }

    @Test func nullableAllowsNull() throws {
        try SchemaCase(#"{"type":"string","nullable":true}"#, fits: ["null", #""x""#], not: ["1"]).check()
        try SchemaCase(#"{"type":"string","nullable":false}"#, fits: [#""x""#], not: ["null"]).check()
        try SchemaCase(#"{"enum":["x"],"nullable":true}"#, fits: ["null", #""x""#], not: [#""y""#]).check()
        try SchemaCase(
            ##"{"properties":{"a":{"allOf":[{"$ref":"#/$defs/o"}],"nullable":true}},"$defs":{"o":{"type":"object"}}}"##,
            fits: [#"{"a":null}"#, #"{"a":{}}"#], not: [#"{"a":1}"#]
        ).check()
    }

    /// Schemas made after reports about other programs, with what becomes of each: the sentence that refuses it, or values that fit and fail,
    /// and whether OpenAI's strict mode takes it.
    @Test func whatPeopleGiveIsReadRight() throws {
        let url = try #require(Bundle.module.url(forResource: "Resources/given-schemas", withExtension: "json"))
        let cases = try #require(try JSONValue.parse([UInt8](Data(contentsOf: url))).array)
        for one in cases {
            let name = one["name"]?.string ?? ""
            let given = GivenSchema.unwrapped(try JSONValue.parse(one["schema"]?.string ?? ""))
            if let sentence = one["refused"]?.string {
                let error = #expect(throws: JSONSchemaError.self, "\(name)") { try GivenSchema.compile(given) }
                #expect(error?.description == sentence, "\(name)")
                continue
            }
            let schema = try GivenSchema.compile(given)
            for (key, fits) in [("fits", true), ("fails", false)] {
                for text in (one[key]?.array ?? []).compactMap(\.string) {
                    #expect(schema.accepts(try JSONValue.parse(text)) == fits, "\(name): \(text)")
                }
            }
            #expect(StrictSchema.holds(given) == (one["strict"] == true), "\(name)")
        }
        #expect(cases.count == 61)
    }
}
