import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// Schemas that a server refuses in strict mode.
@Suite(.timeLimit(.minutes(1))) struct OpenAIStrictTests {
    private static let refusal = """
        {"error": {"message": "Invalid schema for response_format 'answer': In context=('properties', 'pet'), 'oneOf' is not permitted.",
        "type": "invalid_request_error", "param": "response_format", "code": null}}
        """

    private static func request(_ name: String = "why", strict: Bool = true) -> ModelRequest {
        let schema: JSONValue = [
            "type": "object", "properties": .object([.init(name, ["oneOf": []]), .init("answer", ["type": "string"])]),
        ]
        let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "a", "schema": schema, "strict": .bool(strict)]]
        var request = chat
        request.body = .object((chat.body.members ?? []) + [.init("response_format", format)])
        return request
    }

    private static let script = Script {
        $0.text.contains(#""strict":true"#) ? ScriptedAnswer(400, json: refusal) : ScriptedAnswer(json: hello)
    }

    @Test func areSentOnceMoreWithoutIt() async throws {
        try await withProvider(answers: Self.script) { provider, server in
            for _ in 0..<2 { #expect(await provider.respond(to: Self.request()).reply?.text == "Hello") }
            #expect(server.requests.map { $0.text.contains(#""strict":true"#) } == [true, false, false])
            #expect(server.requests.map { $0["idempotency-key"] } == ["key-1", "key-1-form2", "key-1"])
            #expect(server.requests.allSatisfy { $0.text.contains(#""properties":{"why":{"oneOf":[]},"answer""#) })
        }
    }

    /// A server that has refused several knows no strict mode.
    @Test func otherSchemasAreTriedUntilThreeWereRefused() async throws {
        try await withProvider(answers: Self.script) { provider, server in
            for number in 0..<5 { #expect(await provider.respond(to: Self.request("p\(number)")).reply != nil) }
            #expect(server.requests.count == 8)
        }
    }

    @Test func areNotSentAgainWithoutNeed() async throws {
        try await withProvider(answer: ScriptedAnswer(400, json: Self.refusal)) { provider, server in
            #expect(await provider.respond(to: Self.request(strict: false)).failure?.failure == .permanent)
            #expect(server.requests.count == 1)
            #expect(await provider.respond(to: Self.request()).failure?.failure == .permanent)
            #expect(server.requests.count == 3)
        }
        let other = #"{"error":{"message":"temperature must be 1","param":"temperature"}}"#
        try await withProvider(answer: ScriptedAnswer(400, json: other)) { provider, server in
            #expect(await provider.respond(to: Self.request()).failure?.failure == .permanent)
            #expect(server.requests.count == 1)
        }
    }

    @Test func responsesLeaveItTheSameWay() async throws {
        let script = Script {
            $0.text.contains(#""strict":true"#) ? ScriptedAnswer(400, json: Self.refusal) : ScriptedAnswer(json: ResponsesTests.response)
        }
        try await ScriptedServer.withServer(script) { server in
            try await withTransport { transport in
                let provider = OpenAIProvider(name: "p", baseURL: server.url, apiKey: nil, api: .responses, transport: transport)
                #expect(await provider.respond(to: Self.request()).reply?.text == "Hello")
                #expect(server.requests.count == 2 && server.requests[1].text.contains(#""strict":false"#))
                #expect(server.requests[1].text.contains(#""properties":{"why":{"oneOf":[]},"answer""#))
            }
        }
    }

    @Test func aBatchDoesNotAskForWhatWasRefused() throws {
        var refused = RefusedSchemas()
        let schema = try #require(Self.request().schemaValue)
        refused.add(schema)
        for (refused, isStrict) in [(RefusedSchemas(), true), (refused, false)] {
            let form = OpenAIBatchForm(chat: ChatForm(), refused: refused, format: .base64, limits: ProviderCapabilities())
            var line: [UInt8] = []
            try form.write(BatchItem(id: "a", request: Self.request()), to: &line)
            #expect(String(decoding: line, as: UTF8.self).contains(#""strict":\#(isStrict)"#))
        }
    }
}
