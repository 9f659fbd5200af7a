import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import NIOHTTP1
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    /// Calls a server by a name that only the proxy knows.
    private func call(
        _ url: String, _ answer: ScriptedAnswer = ScriptedAnswer(json: hello), encryption: TestCertificates.Encryption = .none,
        wants: String? = nil, _ environment: (ForwardProxy) -> [String: String]
    ) async throws -> (result: Result<HTTPAnswer, HTTPFailure>, proxied: [ForwardProxy.Request], served: [RecordedRequest]) {
        try await withFolder { folder in
            let issuer = folder + "/issuer.pem"
            try TestCertificates.issuer.write(toFile: issuer, atomically: true, encoding: .utf8)
            return try await ScriptedServer.withServer(.always(answer), encryption: encryption) { server in
                try await ForwardProxy.withProxy(to: server.port, wants: wants) { proxy in
                    let tls = try TLSIdentity(TLSFiles(environment: ["SSL_CERT_FILE": issuer]))
                    let rules = ProxyRules(environment: environment(proxy))
                    return try await withTransport(.init(maxRetries: 0, proxies: rules, tls: tls)) { transport in
                        let call = HTTPCall(method: "POST", url: url, headers: ["x-one": "1"], body: [1, 2, 3])
                        let result = await transport.send(call, before: .now + .seconds(30))
                        return (result, proxy.requests, Array(server.requests))
                    }
                }
            }
        }
    }

    @Test func anHTTPRequestIsSentToTheProxyWhole() async throws {
        let (result, proxied, served) = try await call("http://server.test:8000/v1/x?a=b") { ["HTTP_PROXY": "http://\($0.authority)"] }
        #expect(try result.get().status == 200)
        #expect(proxied == [.init(method: "POST", target: "http://server.test:8000/v1/x?a=b")])
        #expect(served.map(\.path) == ["/v1/x?a=b"])
        #expect(served.first?["host"] == "server.test:8000")
        #expect(served.first?["x-one"] == "1")
        #expect(served.first?.body == [1, 2, 3])
    }

    @Test func anHTTPSRequestIsSentThroughTheProxyEncrypted() async throws {
        let (result, proxied, served) = try await call("https://server.test/v1/x", encryption: .tls) { ["HTTPS_PROXY": $0.authority] }
        #expect(try result.get().status == 200)
        #expect(proxied == [.init(method: "CONNECT", target: "server.test:443")])
        #expect(served.map(\.path) == ["/v1/x"])
        #expect(served.first?["proxy-authorization"] == nil)
    }

    @Test func aSOCKSProxyLooksUpTheName() async throws {
        for (url, encryption) in [("http://server.test/v1", TestCertificates.Encryption.none), ("https://server.test/v1", .tls)] {
            let (result, proxied, served) = try await call(url, encryption: encryption) { ["ALL_PROXY": "socks5://\($0.authority)"] }
            #expect(try result.get().status == 200)
            #expect(proxied == [.init(method: "SOCKS", target: "server.test")])
            #expect(served.count == 1)
        }
    }

    @Test func userAndPasswordAreSentToTheProxyOnly() async throws {
        let wants = "Basic \(Base64.encode(Array("ada:p@ss".utf8)))"
        for (url, encryption) in [("http://server.test/v1", TestCertificates.Encryption.none), ("https://server.test/v1", .tls)] {
            let (result, proxied, served) = try await call(url, encryption: encryption, wants: wants) {
                ["ALL_PROXY": "http://ada:p%40ss@\($0.authority)"]
            }
            #expect(try result.get().status == 200)
            #expect(proxied.map(\.authorization) == [wants])
            #expect(served.count == 1)
            if encryption == .tls { #expect(served.first?["proxy-authorization"] == nil) }
        }
    }

    @Test func aRefusedPasswordIsTheProxysAndIsNotShown() async throws {
        for (url, encryption) in [("http://server.test/v1", TestCertificates.Encryption.none), ("https://server.test/v1", .tls)] {
            var shown = ""
            let (result, _, served) = try await call(url, encryption: encryption, wants: "Basic x") {
                shown = "http://\($0.authority)"
                return ["ALL_PROXY": "http://ada:secret@\($0.authority)"]
            }
            #expect(
                result
                    == .failure(
                        .unreachable("the proxy asks for a user and a password that it accepts (through the proxy \(shown))")))
            #expect(served.isEmpty)
        }
    }

    @Test func aProxyThatIsNotThereIsNamed() async throws {
        let rules = ProxyRules(environment: ["ALL_PROXY": "http://ada:secret@127.0.0.1:1"])
        try await withTransport(.init(maxRetries: 0, proxies: rules)) { transport in
            for url in ["http://server.test/v1", "https://server.test/v1"] {
                let result = await transport.send(HTTPCall(method: "GET", url: url), before: .now + .seconds(30))
                #expect(result == .failure(.unreachable("connection refused (through the proxy http://127.0.0.1:1)")))
            }
        }
    }

    @Test func aDownloadUsesTheProxyToo() async throws {
        try await ScriptedServer.withServer(.always(ScriptedAnswer(body: [1, 2]))) { server in
            try await ForwardProxy.withProxy(to: server.port) { proxy in
                let rules = ProxyRules(environment: ["http_proxy": proxy.authority])
                try await withTransport(.init(proxies: rules)) { transport in
                    var bytes: [UInt8] = []
                    let ending = try await transport.download("http://server.test/f", headers: [:], before: .now + .seconds(30)) {
                        bytes += $0
                    }
                    #expect(try ending.get().status == 200)
                    #expect(bytes == [1, 2])
                    #expect(proxy.requests.map(\.target) == ["http://server.test/f"])
                }
            }
        }
    }
}
