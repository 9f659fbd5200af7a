import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// The models that a gateway lists.
@Suite(.serialized) struct ModelCatalogTests {
    private static let listed = ScriptedAnswer(
        json: #"{"object":"list","data":[{"id":"big","object":"model"},{"id":"small","object":"model"}]}"#)

    private func get(_ gateway: LiveGateway, _ path: String, _ headers: [(String, String)] = []) async throws -> HTTPAnswer {
        try await HTTPCall(method: .GET, path: path, headers: headers).answer(port: gateway.port)
    }

    @Test func configuredAndListedModelsAreShownInBothForms() async throws {
        try await withGateway(.always(Self.listed)) { gateway in
            var ids: [String] = []
            for _ in 0..<100 where !ids.contains("local/big") {
                ids = try await get(gateway, "/v1/models").json["data"]?.array?.compactMap { $0["id"]?.string } ?? []
            }
            #expect(ids == ["local/smollm2", "local/big", "local/small"])
            let anthropic = try await get(gateway, "/v1/models?limit=1&after_id=local/smollm2", [("anthropic-version", "2023-06-01")]).json
            #expect(anthropic["data"]?.array?.compactMap { $0["id"]?.string } == ["local/big"])
            #expect(anthropic["has_more"] == true)
            for path in ["/v1/models/local/big", "/v1/models/local%2Fbig"] {
                let one = try await get(gateway, path)
                #expect(one.status == 200)
                #expect(try one.json["id"]?.string == "local/big")
            }
            let unknown = try await get(gateway, "/v1/models/none")
            #expect(unknown.status == 404)
            #expect(try unknown.json["error"]?["code"]?.string == "model_not_found")
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aProviderThatDoesNotAnswerHoldsNobodyUp() async throws {
        let gate = Gate()
        var slow = Self.listed
        slow.gate = gate
        try await withGateway(.always(slow)) { gateway in
            let answer = try await within(.seconds(2), "the list") { try await get(gateway, "/v1/models") }
            #expect(try answer.json["data"]?.array?.compactMap { $0["id"]?.string } == ["local/smollm2"])
            gate.open()
        }
    }
}
