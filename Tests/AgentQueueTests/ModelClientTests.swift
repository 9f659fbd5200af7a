import AgentQueueModel
import AgentQueueSettings
import AgentQueueTestSupport
import Testing

@testable import AgentQueue

/// Many calls at once from a program, without a queue.
@Suite struct ModelClientTests {
    private static func request(_ prompt: String, to target: String = "scripted/m") throws -> ModelRequest {
        ModelRequest(
            kind: .generate, target: try #require(Target(target)), body: ["messages": [["role": "user", "content": .string(prompt)]]])
    }

    private static func prompt(of request: RecordedRequest) -> String {
        (try? JSONValue.parse(request.body))?["messages"]?.array?.last?["content"]?.string ?? ""
    }

    private static func saying(_ text: String) -> ScriptedAnswer {
        ScriptedAnswer(
            json: #"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "\#(text)"}, "finish_reason": "stop"}]}"#)
    }

    private static func withClient(_ server: ScriptedServer, _ body: (ModelClient) async throws -> Void) async throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        var provider = ProviderSettings(kind: .openai)
        provider.baseURL = server.url + "/v1"
        settings.providers = ["scripted": provider]
        let client = ModelClient(settings, environment: [:])
        do {
            try await body(client)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    @Test func outcomesComeInTheOrderOfTheRequests() async throws {
        let script = Script { request in
            let prompt = Self.prompt(of: request)
            return prompt == "7" ? ScriptedAnswer(400, json: #"{"error": {"message": "no"}}"#) : Self.saying("echo \(prompt)")
        }
        try await ScriptedServer.withServer(script) { server in
            try await Self.withClient(server) { client in
                var requests = try (0..<20).map { try Self.request("\($0)") }
                requests[3] = try Self.request("3", to: "elsewhere/m")
                let outcomes = await client.call(requests, concurrency: 5)
                #expect(outcomes.count == 20)
                for (number, outcome) in outcomes.enumerated() {
                    switch (number, outcome) {
                    case (3, .failure(let failure)): #expect(failure.message.contains("elsewhere"))
                    case (7, .failure(let failure)): #expect(failure.failure == .permanent)
                    case (_, .reply(let reply)): #expect(reply.text == "echo \(number)")
                    default: Issue.record("request \(number): \(outcome)")
                    }
                }
                #expect(server.requests.count == 19)
            }
        }
    }

    @Test func noMoreAreInFlightThanAsked() async throws {
        let gate = Gate()
        let script = Script { _ in
            var answer = Self.saying("fine")
            answer.gate = gate
            return answer
        }
        try await ScriptedServer.withServer(script) { server in
            try await Self.withClient(server) { client in
                let requests = try (0..<12).map { try Self.request("\($0)") }
                async let outcomes = client.call(requests, concurrency: 5)
                try await server.waitForRequests(5)
                #expect(server.requests.count == 5)
                gate.open()
                #expect(await outcomes.count { if case .reply = $0 { true } else { false } } == 12)
                #expect(server.mostOpenConnections == 5)
            }
        }
    }

    @Test func cancellingEndsWhatIsUnderWayAndBeginsNothing() async throws {
        try await ScriptedServer.withServer(.always(.hang)) { server in
            try await Self.withClient(server) { client in
                let requests = try (0..<6).map { try Self.request("\($0)") }
                let call = Task { await client.call(requests, concurrency: 2) }
                try await server.waitForRequests(2)
                call.cancel()
                let outcomes = await call.value
                for outcome in outcomes {
                    guard case .failure(let failure) = outcome else {
                        Issue.record("\(outcome)")
                        continue
                    }
                    #expect(failure.failure == .cancelled)
                }
                #expect(server.requests.count == 2)
            }
        }
    }
}
