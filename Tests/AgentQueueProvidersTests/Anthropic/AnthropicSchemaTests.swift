import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// The schemas of structured outputs.
@Suite(.timeLimit(.minutes(1))) struct AnthropicSchemaTests {
    private static let closed =
        #"{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}},"additionalProperties":false}"#

    @Test(arguments: [
        (closed, closed),
        // What fits the closed schema fits the open one too.
        (
            #"{"type":"object","properties":{"a":{"type":"null"}}}"#,
            #"{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":false}"#
        ),
        (#"{"type":"integer","minimum":1,"maximum":9}"#, #"{"type":"integer","description":"(minimum: 1, maximum: 9)"}"#),
        (#"{"description":"Points.","type":"integer","minimum":0}"#, #"{"description":"Points. (minimum: 0)","type":"integer"}"#),
        (#"{"type":"string","maxLength":400,"format":"date"}"#, #"{"type":"string","format":"date","description":"(maxLength: 400)"}"#),
        (#"{"type":"string","format":"iban"}"#, #"{"type":"string","description":"(format: \"iban\")"}"#),
        (#"{"type":"array","items":{"type":"string"},"minItems":1}"#, #"{"type":"array","items":{"type":"string"},"minItems":1}"#),
        (
            #"{"type":"array","items":{"type":"string"},"minItems":2}"#,
            #"{"type":"array","items":{"type":"string"},"description":"(minItems: 2)"}"#
        ),
        (#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, #"{"anyOf":[{"type":"null"},{"type":"string"}]}"#),
        (
            ##"{"$defs":{"D":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/D","description":"d"}},"additionalProperties":false}"##,
            ##"{"$defs":{"D":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/D"}},"additionalProperties":false}"##
        ),
    ])
    func isSentWithoutBounds(_ given: String, _ sent: String) throws {
        #expect(AnthropicSchema.sent(try JSONValue.parse(given))?.text == sent)
    }

    @Test(arguments: [
        "{}", "true", #"{"type":"object"}"#, #"{"type":"object","additionalProperties":{"type":"integer"}}"#,
        #"{"type":"object","patternProperties":{"^a":{"type":"null"}},"additionalProperties":false}"#, #"{"enum":[{"a":1}]}"#,
        #"{"type":"array","prefixItems":[{"type":"null"}]}"#, #"{"type":"string","not":{"const":"x"}}"#,
        ##"{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}}}}}"##, ##"{"anyOf":[{"$ref":"#"}]}"##,
    ])
    func isNotSentIfItSaysMore(_ given: String) throws {
        let schema = try JSONValue.parse(given)
        #expect(AnthropicSchema.sent(schema) == nil)
        let asked = AnthropicSample.asked("x", ["response_format": ["type": "json_schema", "json_schema": ["schema": schema]]])
        guard schema.members != nil else { return }
        let request = try AnthropicRequest(asked, maxOutputTokens: 10, promptCache: .off)
        #expect(request.body["output_config"] == nil && request.schema == nil)
        #expect(request.body["system"]?.array?.last?["text"]?.string?.hasSuffix("JSON Schema:\n\(schema.text)") == true)
    }

    @Test func aSchemaThatIsRefusedIsPutIntoWords() async throws {
        let error = #"{"type":"error","error":{"type":"invalid_request_error","message":"output_config.format.schema: too complex"}}"#
        let script = Script {
            $0.text.contains("output_config") ? ScriptedAnswer(400, json: error) : ScriptedAnswer(json: AnthropicSample.hello)
        }
        let format: JSONValue = ["type": "json_schema", "json_schema": ["schema": try JSONValue.parse(Self.closed)]]
        try await withAnthropic(answers: script) { provider, server in
            for _ in 0..<2 {
                let reply = await provider.answer(AnthropicSample.asked("x", ["response_format": format]), key: "k").reply
                #expect(reply?.text == "Hello")
            }
            #expect(server.requests.map { $0.text.contains("output_config") } == [true, false, false])
            #expect(server.requests.map { $0["idempotency-key"] } == ["k", "k-schema", "k"])
            // The schema is asked for in the order given.
            #expect(server.requests[0].text.contains(#""properties":{"why":{"type":"string"},"answer""#))
            #expect(server.requests[1].text.contains(#"\"properties\":{\"why\":{\"type\":\"string\"},\"answer\""#))
        }
    }

    @Test func anotherRefusalIsNotRepeated() async throws {
        let error = #"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too many"}}"#
        let format: JSONValue = ["type": "json_schema", "json_schema": ["schema": try JSONValue.parse(Self.closed)]]
        try await withAnthropic(answers: .always(ScriptedAnswer(400, json: error))) { provider, server in
            let failure = await provider.answer(AnthropicSample.asked("x", ["response_format": format])).failure
            #expect(failure?.failure == .permanent && server.requests.count == 1)
        }
    }
}
