import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// What a live gateway answers, byte for byte.
@Suite(.serialized) struct ServerTests {
    private func answer(_ gateway: LiveGateway, _ bytes: String, socket: String? = nil) async throws -> String {
        try await within(.seconds(20), "the answer") {
            try await RawConversation.with(gateway, socket: socket) { conversation in
                try await conversation.send(bytes)
                return try await conversation.readToEnd()
            }
        }
    }

    private func status(_ gateway: LiveGateway, _ bytes: String, socket: String? = nil) async throws -> Int? {
        Self.status(try await answer(gateway, bytes, socket: socket))
    }

    private static func status(_ text: String) -> Int? { Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)) }

    @Test func healthAndReadinessNeedNoKey() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            for (path, text) in [("/health", #""ok""#), ("/ready", #""ready""#)] {
                let answer = try await answer(gateway, rawRequest("GET \(path)"))
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(answer.contains(text))
                #expect(answer.contains("\r\nx-request-id: req_") && answer.contains("\r\nrequest-id: req_"))
            }
            for path in ["/", "/api/hello", "/health"] {
                let head = try await answer(gateway, rawRequest("HEAD \(path)"))
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            }
        }
    }

    @Test func onlyTheGatewaysOwnHostsAreAnswered() async throws {
        var plan = GatewayPlan()
        plan.serve.hosts = ["queue.example"]
        try await withGateway(plan) { gateway in
            for host in ["localhost", "127.0.0.1:9", "[::1]:8484", "queue.example", "QUEUE.example:443"] {
                let status = try await status(gateway, rawRequest("GET /health", host: host))
                #expect(status == 200, "\(host)")
            }
            let others = [
                "evil.example", "localhost.evil.example", "queue.example.evil", "", "[::1].evil.example:80", "[::1]evil.example", "[::1",
                "localhost:80.evil.example", "localhost:80:80", "queue.example:x",
            ]
            for host in others {
                #expect(try await status(gateway, rawRequest("GET /health", host: host)) == 403, "\(host)")
            }
            #expect(try await status(gateway, "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n") == 403)
            for hosts in [["localhost", "evil.example"], ["evil.example", "localhost"], ["localhost", "localhost", "127.0.0.1"]] {
                let several = rawRequest("GET /health", host: hosts[0], hosts.dropFirst().map { "host: \($0)" })
                #expect(try await status(gateway, several) == 400, "\(hosts)")
            }
        }
    }

    @Test func pagesOfOtherOriginsMayNotCall() async throws {
        var plan = GatewayPlan()
        plan.serve.origins = ["https://app.example"]
        try await withGateway(plan) { gateway in
            func get(_ origin: String) async throws -> String {
                try await answer(gateway, rawRequest("GET /health", host: "localhost:8484", ["origin: \(origin)"]))
            }
            #expect(Self.status(try await get("http://localhost:8484")) == 200)
            for origin in ["null", "http://localhost:1", "https://evil.example"] {
                #expect(Self.status(try await get(origin)) == 403, "\(origin)")
            }
            let listed = try await get("https://app.example")
            #expect(listed.hasPrefix("HTTP/1.1 200") && listed.lowercased().contains("access-control-allow-origin: https://app.example"))
            let preflight = try await answer(
                gateway,
                rawRequest("OPTIONS /v1/chat/completions", ["origin: https://app.example", "access-control-request-method: POST"]))
            #expect(preflight.hasPrefix("HTTP/1.1 204") && preflight.lowercased().contains("access-control-allow-methods: post"))
        }
    }

    @Test func whatIsNoRouteSaysWhatToUse() async throws {
        try await withGateway { gateway in
            let other = try await answer(gateway, rawRequest("POST /v1/completions", body: "{}"))
            #expect(other.hasPrefix("HTTP/1.1 404") && other.contains("/v1/chat/completions") && other.contains("not_found"))
            let method = try await answer(gateway, rawRequest("DELETE /v1/models"))
            #expect(method.hasPrefix("HTTP/1.1 405") && method.contains("allow: GET, HEAD"))
            let type = try await answer(gateway, rawRequest("POST /v1/chat/completions", ["content-type: text/plain"], body: "hello"))
            #expect(type.hasPrefix("HTTP/1.1 415"))
            let packed = try await answer(
                gateway, rawRequest("POST /v1/chat/completions", ["content-type: application/json", "content-encoding: gzip"], body: "{}"))
            #expect(packed.hasPrefix("HTTP/1.1 415"))
            let messages = try await answer(gateway, rawRequest("GET /v1/messages"))
            #expect(
                messages.hasPrefix("HTTP/1.1 405") && messages.contains(#""type":"error""#) && messages.contains(#""request_id":"req_"#))
        }
    }

    @Test func pathsBelowThePublicAddressAreFound() async throws {
        var plan = GatewayPlan()
        plan.serve.publicURL = "https://queue.example/ai"
        try await withGateway(plan) { gateway in
            for path in ["/ai/health", "/health"] {
                let status = try await status(gateway, rawRequest("GET \(path)", host: "queue.example"))
                #expect(status == 200)
            }
            #expect(try await status(gateway, rawRequest("GET /aihealth", host: "queue.example")) == 404)
        }
    }

    @Test func whatIsNoHTTPIsRefusedInJSON() async throws {
        try await withGateway { gateway in
            for bytes in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}rubbish\r\n\r\n"] {
                let refused = try await answer(gateway, bytes)
                #expect(refused.hasPrefix("HTTP/1.1 400"))
                #expect(refused.contains("x-request-id: req_") && refused.contains("invalid_request_error"))
            }
        }
    }

    @Test func headsAreBounded() async throws {
        try await withGateway { gateway in
            let long = try await answer(gateway, rawRequest("GET /health", ["x-long: \(String(repeating: "a", count: 40_000))"]))
            #expect(long.hasPrefix("HTTP/1.1 431") || long.hasPrefix("HTTP/1.1 400"))
            let many = try await answer(gateway, rawRequest("GET /health", (0..<200).map { "x-\($0): 1" }))
            #expect(many.hasPrefix("HTTP/1.1 431") || many.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func aConnectionCarriesSeveralRequests() async throws {
        try await withGateway { gateway in
            let two = try await answer(
                gateway, rawRequest("GET /health", close: false) + rawRequest("GET /nothing", close: false) + rawRequest("GET /health"))
            #expect(two.components(separatedBy: "HTTP/1.1 200").count == 3)
            #expect(two.components(separatedBy: "HTTP/1.1 404").count == 2)
        }
    }

    @Test func aClientThatClosesItsSideIsStillAnswered() async throws {
        try await withGateway { gateway in
            let text = try await within(.seconds(20), "the answer") {
                try await RawConversation.with(gateway) { conversation in
                    try await conversation.send(rawRequest("GET /health", close: false))
                    try await conversation.endInput()
                    return try await conversation.readToEnd()
                }
            }
            #expect(text.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func aUnixSocketIsItsOwnersAlone() async throws {
        try await withFolder { folder in
            let socket = "\(folder)/own/gateway.sock"
            var plan = GatewayPlan(asksForKeys: true)
            plan.serve.socket = socket
            try await withGateway(plan) { gateway in
                #expect(gateway.addresses.socket == socket)
                let models = try await answer(gateway, rawRequest("GET /v1/models", host: "anything"), socket: socket)
                #expect(models.hasPrefix("HTTP/1.1 200"))
                #expect(try await status(gateway, rawRequest("GET /v1/models")) == 401)
                #expect(try permissions(socket) == 0o600)
                #expect(try permissions("\(folder)/own") == 0o700)
            }
            #expect(!FileManager.default.fileExists(atPath: socket))
        }
    }

    private func permissions(_ path: String) throws -> Int? {
        try (FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }

    @Test func anAddressThatIsTakenIsNamed() async throws {
        try await withGateway { gateway in
            let port = gateway.port
            var plan = GatewayPlan()
            plan.serve.listen = ListenAddress(host: "127.0.0.1", port: port)
            let taken = plan
            await #expect {
                try await withGateway(taken) { _ in }
            } throws: { error in
                (error as? ListenError)?.kind == .inUse
            }
        }
    }

    @Test func otherMachinesNeedEncryptionAndKeys() throws {
        var settings = ServeSettings()
        settings.listen = ListenAddress(host: "0.0.0.0", port: 0)
        #expect(throws: ListenError.self) { try Listener.all(settings, asksForKeys: true) }
        settings.plainHTTP = true
        #expect(try Listener.all(settings, asksForKeys: true).count == 1)
        #expect(throws: ListenError.self) { try Listener.all(settings, asksForKeys: false) }
    }

    @Test func aCertificateMakesItEncrypted() async throws {
        try await withFolder { folder in
            var plan = GatewayPlan()
            plan.serve.tls.certificate = "\(folder)/server.pem"
            plan.serve.tls.key = "\(folder)/server.key"
            try TestCertificates.server.write(toFile: "\(folder)/server.pem", atomically: true, encoding: .utf8)
            try TestCertificates.serverKey.write(toFile: "\(folder)/server.key", atomically: true, encoding: .utf8)
            try await withGateway(plan) { gateway in
                let text = try await within(.seconds(20), "the answer") {
                    try await RawConversation.with(gateway, isEncrypted: true) { conversation in
                        try await conversation.send(rawRequest("GET /health"))
                        return try await conversation.readToEnd()
                    }
                }
                #expect(text.hasPrefix("HTTP/1.1 200"))
                let plain = try await answer(gateway, rawRequest("GET /health"))
                #expect(!plain.contains("HTTP/1.1"))
            }
        }
    }

    @Test func aCertificateThatCannotBeReadIsNamed() throws {
        var settings = ServeSettings()
        settings.tls.certificate = "/nowhere/server.pem"
        #expect {
            try Listener.all(settings, asksForKeys: true)
        } throws: { error in
            "\(error)".contains("/nowhere/server.pem")
        }
    }

    @Test func aStopIsSeenBeforeItIsDone() async throws {
        let gate = Gate()
        let held = ScriptedAnswer(json: Chat.wholeText, after: gate)
        try await withGateway(.always(held)) { gateway in
            let body = #"{"model":"local/m","messages":[{"role":"user","content":"Hi"}]}"#
            async let call = HTTPCall(path: "/v1/chat/completions", body: body).answer(port: gateway.port)
            try await gateway.upstream.waitForRequests(1)
            await gateway.shutdown()
            try await until("it is told") {
                gateway.lines.all.contains { $0.contains("stopping") }
            }
            let ready = try await answer(gateway, rawRequest("GET /ready"))
            #expect(ready.contains(#""stopping""#))
            let late = try await HTTPCall(path: "/v1/chat/completions", body: body).answer(port: gateway.port)
            #expect(late.status == 503 && late.text.contains("shutting_down") && late["x-should-retry"] == "true")
            gate.open()
            #expect(try await call.isWhole)
        }
    }

    @Test func eachRequestIsOneLineInTheLogWithoutItsSecrets() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let key = try await gateway.key("laptop")
            _ = try await answer(gateway, rawRequest("GET /v1/models?secret=1", ["authorization: Bearer \(key)"]))
            _ = try await answer(gateway, rawRequest("GET /v1/models", ["x-api-key: \(key)x"]))
            let lines = gateway.lines.all.filter { $0.hasPrefix("info request ") }
            #expect(lines.count == 2)
            #expect(lines[0].contains("key=laptop") && lines[0].contains("status=200") && lines[0].contains("route=/v1/models"))
            #expect(lines[1].contains("status=401") && !lines[1].contains("key="))
            #expect(!gateway.lines.all.contains { $0.contains(key.suffix(43)) || $0.contains("secret=1") })
        }
    }
}
