import AgentQueueModel
import Testing

@Suite struct StructuredReplyTests {
    private static func reply() throws -> StructuredReply {
        StructuredReply(try JSONSchema(["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]]))
    }

    @Test(arguments: [#"{"n": 1.0}"#, "```json\n{\"n\": 1.0}\n```", "<think>\nwell\n</think>\n{\"n\": 1.0}"])
    func valid(_ text: String) throws {
        guard case .valid(let value) = try Self.reply().judge(text) else {
            Issue.record("\(text) is invalid")
            return
        }
        #expect(value == (try ReplyValue(in: text)))
    }

    @Test(
        arguments: [
            ("", "the answer is empty"), ("Sure: {\"n\": 1}", "the answer is not valid JSON at byte 1: unexpected byte 0x53"),
            ("{\"n\": 1} Done.", "the answer is not valid JSON at byte 10: something follows the value"),
            ("{\"n\": 1, \"n\": 2}", "the answer is not valid JSON at byte 10: the key 'n' stands twice"),
            ("```json\n{\"n\": 1}", "the answer is not valid JSON at byte 1: unexpected byte 0x60"),
            ("{\"n\": \"1\"}", "/n must be a whole number, not a string"), ("{}", "the value must have the member 'n'"),
            ("<think>\nwell\n</think>\n{}", "the value must have the member 'n'"),
        ])
    func invalid(_ text: String, _ complaint: String) throws {
        #expect(try Self.reply().judge(text) == .invalid(complaint))
    }

    @Test func listsFiveViolationsAtMost() throws {
        let reply = StructuredReply(try JSONSchema(["items": ["type": "null"]]))
        guard case .invalid(let five) = reply.judge("[1,2,3,4,5]"), case .invalid(let six) = reply.judge("[1,2,3,4,5,6]") else {
            Issue.record("both are invalid")
            return
        }
        #expect(five.hasSuffix("/4 must be null, not a number"))
        #expect(six == five + "; and more")
    }

    @Test func repairShowsTheAnswerAndTheComplaint() throws {
        let messages = try Self.reply().repairMessages(previous: "{}", complaint: "the value must have the member 'n'")
        #expect(messages.count == 2)
        #expect(messages[0] == ["role": "assistant", "content": "{}"])
        #expect(messages[1]["role"]?.string == "user")
        #expect(messages[1]["content"]?.string?.contains("the value must have the member 'n'") == true)
        #expect(try Self.reply().repairMessages(previous: " ", complaint: "x")[0]["content"]?.string == "(no answer)")
    }

    @Test func findsTheSchemaOfARequest() throws {
        let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "answer", "schema": ["type": "null"]]]
        func request(_ format: JSONValue?) throws -> ModelRequest {
            let target = try #require(Target("local/m"))
            return ModelRequest(
                kind: .generate, target: target, body: format.map { ["messages": [], "response_format": $0] } ?? ["messages": []])
        }
        #expect(try request(format).schemaValue == ["type": "null"])
        #expect(try request(format).schema?.accepts(.null) == true)
        #expect(try request(format).schema?.accepts(1) == false)
        #expect(try request(.none).schemaValue == Optional<JSONValue>.none)
        #expect(try request(["type": "json_object"]).schema == nil)
        let damaged: JSONValue = ["type": "json_schema", "json_schema": ["schema": ["type": "thing"]]]
        #expect(throws: JSONSchemaError.self) { try request(damaged).schema }
    }
}
