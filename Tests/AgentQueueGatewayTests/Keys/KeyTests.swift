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

/// Which keys open the gateway.
@Suite(.serialized) struct KeyTests {
    private func models(_ gateway: LiveGateway, _ headers: [(String, String)]) async throws -> HTTPAnswer {
        try await HTTPCall(method: .GET, path: "/v1/models", headers: headers).answer(port: gateway.port)
    }

    @Test func aKeyOpensInEitherHeader() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let key = try await gateway.key("laptop")
            #expect(try await models(gateway, [("authorization", "Bearer \(key)")]).status == 200)
            #expect(try await models(gateway, [("authorization", "bearer \(key)")]).status == 200)
            #expect(try await models(gateway, [("x-api-key", key)]).status == 200)
        }
    }

    @Test func aWrongKeyIsRefusedInTheWordsOfTheClientsAPI() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let key = try await gateway.key("laptop")
            let wrong = String(key.dropLast(2)) + (key.hasSuffix("AA") ? "BA" : "AA")
            for headers in [[], [("authorization", "Bearer \(wrong)")], [("x-api-key", "sk-other")], [("authorization", "Basic \(key)")]] {
                let answer = try await models(gateway, headers)
                #expect(answer.status == 401)
                #expect(try answer.json["error"]?["code"]?.string == "invalid_api_key")
                let other = try await models(gateway, headers + [("anthropic-version", "2023-06-01")])
                #expect(try other.json["error"]?["type"]?.string == "authentication_error")
                #expect(try other.json["request_id"]?.string == other["request-id"])
            }
        }
    }

    @Test func aRevokedKeyEndsWithinASecond() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let key = try await gateway.key("laptop")
            #expect(try await models(gateway, [("x-api-key", key)]).status == 200)
            // As another process does it: nothing tells the gateway.
            _ = try await gateway.queue.store.keys.revoke("laptop", by: "test")
            let end = ContinuousClock.now + .seconds(1)
            var status = 200
            while status == 200, ContinuousClock.now < end + .milliseconds(500) {
                status = try await models(gateway, [("x-api-key", key)]).status
            }
            #expect(status == 401)
        }
    }

    @Test func everyRouteAsksForItsScope() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let table = try #require(gateway.service.table)
            #expect(table.routes.count > 10)
            // A route without a scope is open to everybody: each is one on purpose.
            let open = Set(table.routes.filter { $0.scope == nil }.map(\.path))
            #expect(open == ["/", "/api/hello", "/health", "/ready", "/openapi.json"])
            for scope in KeyScope.allCases {
                let key = try await gateway.key("k-\(scope.rawValue.replacing(":", with: "-"))", scopes: [scope])
                for route in table.routes {
                    let path = route.path.replacing("{id...}", with: "x").replacing("{id}", with: "x")
                    let answer = try await HTTPCall(method: .RAW(value: route.method.rawValue), path: path, headers: [("x-api-key", key)])
                        .answer(port: gateway.port)
                    let isRefused = answer.status == 403
                    // Who may see all jobs may see its own.
                    let isAllowed = route.scope == nil || route.scope == scope || (route.scope == .read && scope == .readAll)
                    #expect(isRefused != isAllowed, "\(route.method) \(route.path) with \(scope)")
                }
            }
        }
    }

    @Test func tooManyWrongKeysAreTurnedAwayAndOthersAreNot() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let keys = [try await gateway.key("laptop"), try await gateway.key("desktop")]
            #expect(try await models(gateway, [("x-api-key", keys[0])]).status == 200)
            // A key for another server is no guess at one of this.
            for _ in 0..<20 { #expect(try await models(gateway, [("x-api-key", "sk-other")]).status == 401) }
            let wrong = KeyText(id: 9, secret: [UInt8](repeating: 9, count: 32)).text
            var statuses: [Int] = []
            for _ in 0..<12 { statuses.append(try await models(gateway, [("x-api-key", wrong)]).status) }
            #expect(statuses.prefix(10).allSatisfy { $0 == 401 })
            #expect(statuses.last == 429)
            // Whether they were seen before or not.
            for key in keys { #expect(try await models(gateway, [("x-api-key", key)]).status == 200) }
        }
    }

    @Test func aKeySeesTheModelsThatItMayUse() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            var new = NewAPIKey(name: "narrow", scopes: [.call])
            new.targets = ["other/*"]
            let secret = [UInt8](repeating: 7, count: 32)
            let key = try await gateway.queue.store.keys.create(new, secret: secret, by: "test")
            let answer = try await models(gateway, [("x-api-key", KeyText(id: key.id, secret: secret).text)])
            #expect(try answer.json["data"]?.array?.isEmpty == true)
        }
    }
}
