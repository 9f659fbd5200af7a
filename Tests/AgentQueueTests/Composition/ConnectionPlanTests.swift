import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import Testing

@testable import AgentQueue

@Suite struct ConnectionPlanTests {
    private func settings(_ change: (inout Settings) throws -> Void = { _ in }) throws -> Settings {
        var settings = Settings(database: "/q.db")
        try change(&settings)
        return settings
    }

    private func proxy(_ settings: Settings, _ provider: String, _ environment: [String: String]) throws -> String? {
        try #require(settings.connection(ofProvider: provider, environment: environment)).proxy().map {
            "\($0.address.shown) \($0.source)"
        }
    }

    @Test func aProvidersOwnProxyBeatsThatOfAllWhichBeatsTheEnvironment() throws {
        let environment = ["HTTPS_PROXY": "http://e:1", "NO_PROXY": "api.anthropic.com"]
        #expect(try proxy(settings(), "openai", environment) == "http://e:1 HTTPS_PROXY")
        #expect(try proxy(settings(), "anthropic", environment) == nil)
        #expect(try proxy(settings(), "local", environment) == nil)
        let all = try settings { $0.http.connection.proxy = .proxy(try ProxyAddress("http://a:1")) }
        #expect(try proxy(all, "openai", environment) == "http://a:1 http.proxy")
        #expect(try proxy(all, "anthropic", environment) == nil)
        #expect(try proxy(all, "local", environment) == nil)
        let own = try settings {
            $0.http.connection.proxy = .direct
            $0.providers["anthropic"]?.connection.proxy = .proxy(try ProxyAddress("http://o:1"))
        }
        #expect(try proxy(own, "openai", environment) == nil)
        #expect(try proxy(own, "anthropic", environment) == "http://o:1 providers.anthropic.proxy")
    }

    @Test func filesThatCannotBeUsedMakeOnlyTheirProvidersUnavailable() async throws {
        let environment = ["SSL_CERT_FILE": "/nowhere/ca.pem", "OPENAI_API_KEY": "k"]
        let set = ProviderSet(try settings(), environment: environment)
        #expect(set.unavailable["openai"] == "SSL_CERT_FILE: /nowhere/ca.pem does not exist")
        #expect(set.names.isSuperset(of: ["local", "local-embeddings"]))
        try await set.shutdown()
    }

    @Test func aProxyThatIsNoneMakesOnlyItsProvidersUnavailable() async throws {
        let set = ProviderSet(try settings(), environment: ["ALL_PROXY": "socks4://ada:secret@h", "OPENAI_API_KEY": "k"])
        #expect(set.unavailable["openai"]?.hasPrefix("ALL_PROXY is not the address of a proxy") == true)
        #expect(set.names.isSuperset(of: ["local", "local-embeddings"]))
        try await set.shutdown()
    }

    @Test func aChildProcessReachesServersInTheSameWay() throws {
        func environment(_ settings: Settings, _ environment: [String: String]) throws -> [String: String] {
            try #require(settings.connection(ofProvider: "claude-code", environment: environment)).environment(from: environment)
        }
        let given = ["HTTPS_PROXY": "http://e:1", "NO_PROXY": "x"]
        #expect(try environment(settings(), given) == given)
        let configured = try environment(
            settings {
                $0.http.connection.proxy = .proxy(try ProxyAddress("http://ada:p%40ss@a:1"))
                $0.http.connection.caFile = "/ca.pem"
                $0.http.connection.clientCertificate = "/me.pem"
            }, given)
        #expect(configured["HTTPS_PROXY"] == "http://ada:p%40ss@a:1")
        #expect(configured["http_proxy"] == "http://ada:p%40ss@a:1")
        #expect(configured["NO_PROXY"] == nil)
        #expect(configured["NODE_EXTRA_CA_CERTS"] == "/ca.pem")
        #expect(configured["CLAUDE_CODE_CLIENT_CERT"] == "/me.pem")
        #expect(configured["CLAUDE_CODE_CLIENT_KEY"] == "/me.pem")
        let direct = try environment(settings { $0.http.connection.proxy = .direct }, given)
        #expect(direct["HTTPS_PROXY"] == nil)
        let local = try environment(settings { $0.providers["claude-code"]?.baseURL = "http://127.0.0.1:8089" }, given)
        #expect(local["NO_PROXY"] == "x,localhost,127.0.0.1,::1")
    }
}
