import AgentQueueModel
import Testing

@testable import AgentQueueProviders

@Suite struct ProxyRulesTests {
    /// The proxy of a URL as shown, with what named it; nil without one.
    private func proxy(_ url: String, _ environment: [String: String]) throws -> String? {
        try ProxyRules(environment: environment).proxy(for: url).map { "\($0.address.shown) \($0.source)" }
    }

    @Test func eachSchemeHasItsVariable() throws {
        let environment = ["HTTP_PROXY": "http://a:1", "https_proxy": "b:2", "ALL_PROXY": "socks5://c"]
        #expect(try proxy("http://h/v1", environment) == "http://a:1 HTTP_PROXY")
        #expect(try proxy("HTTPS://h/v1", environment) == "http://b:2 https_proxy")
        #expect(try proxy("https://h/v1", ["ALL_PROXY": "socks5h://C"]) == "socks5://c:1080 ALL_PROXY")
        #expect(try proxy("http://h/v1", ["https_proxy": "b:2"]) == nil)
        #expect(try proxy("http://h/v1", ["http_proxy": ""]) == nil)
        #expect(try proxy("http://h/v1", [:]) == nil)
    }

    @Test func smallLettersWinAndAHeaderOfAWebRequestIsNoSetting() throws {
        #expect(try proxy("http://h/", ["HTTP_PROXY": "a:1", "http_proxy": "b:2"]) == "http://b:2 http_proxy")
        #expect(try proxy("http://h/", ["HTTP_PROXY": "a:1", "REQUEST_METHOD": "GET"]) == nil)
        #expect(try proxy("https://h/", ["HTTPS_PROXY": "a:1", "REQUEST_METHOD": "GET"]) == "http://a:1 HTTPS_PROXY")
    }

    @Test(arguments: ["localhost", "api.localhost", "127.0.0.1", "127.8.9.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
    func thisMachineNeedsNoProxy(host: String) throws {
        #expect(try proxy("http://\(host):8089/v1", ["ALL_PROXY": "a:1"]) == nil)
    }

    @Test(
        arguments: [
            ("*", "h.example", true), ("example.com", "example.com", true), ("example.com", "api.example.com", true),
            ("example.com", "notexample.com", false), (".example.com", "api.Example.com.", true), (".example.com", "example.com", true),
            ("*.example.com", "api.example.com", true), ("a, b  example.com", "b", true), ("example.com:8443", "example.com:8443", true),
            ("example.com:8443", "example.com", false), ("example.com:443", "example.com", true), ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false), ("10.0.0.0/8", "ten.example", false), ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7:1", "192.168.1.7:1", true), ("fd00::/8", "[fd12::1]", true), ("[fd12::1]", "[fd12:0::1]", true),
            ("fd12::1", "[fd12::2]", false), ("[fd12::1]:443", "[fd12::1]", true), ("1.2.3.4/33", "1.2.3.4", false), ("", "h", false),
        ])
    func exceptionsAreCalledDirectly(list: String, host: String, isDirect: Bool) throws {
        for name in ["no_proxy", "NO_PROXY"] {
            #expect(try proxy("https://\(host)/v1", ["HTTPS_PROXY": "a:1", name: list]) == (isDirect ? nil : "http://a:1 HTTPS_PROXY"))
        }
    }

    @Test func whatIsNoProxyIsNotPassedBy() throws {
        let environment = ["HTTPS_PROXY": "ftp://ada:secret@a:1", "NO_PROXY": "spared"]
        #expect { _ = try proxy("https://h/", environment) } throws: { error in
            (error as? InvalidText)?.message.hasPrefix("HTTPS_PROXY is not the address of a proxy (such as") == true
        }
        #expect(try proxy("https://spared/", environment) == nil)
        #expect(try proxy("http://h/", environment) == nil)
    }

    @Test func aConfiguredProxyOfOneProviderIsForAllItsCalls() throws {
        let address = try ProxyAddress("http://a:1")
        let own = ProxyRules(address, source: "providers.x.proxy", sparing: nil)
        #expect(try own.proxy(for: "http://127.0.0.1/v1")?.source == "providers.x.proxy")
        let general = ProxyRules(address, source: "http.proxy", sparing: ["NO_PROXY": "spared"])
        #expect(try general.proxy(for: "http://127.0.0.1/v1") == nil)
        #expect(try general.proxy(for: "http://spared/v1") == nil)
        #expect(try general.proxy(for: "http://h/v1")?.source == "http.proxy")
        #expect(try ProxyRules.direct.proxy(for: "http://h/v1") == nil)
    }

    @Test func anAddressIsReadAndShownWithoutItsPassword() throws {
        let address = try ProxyAddress("HTTP://ada:p%40ss%3A@[2001:DB8::1]:3128/")
        #expect(address.shown == "http://[2001:db8::1]:3128")
        #expect(address.user == "ada")
        #expect(address.password == "p@ss:")
        #expect(address.url == "http://ada:p%40ss%3A@[2001:db8::1]:3128")
        #expect(try ProxyAddress("proxy").shown == "http://proxy:80")
        #expect(try ProxyAddress("http://ada@proxy:1").password.isEmpty)
    }

    @Test(
        arguments: [
            "", "http://", "http://:3128", "http://h:0", "http://h:x", "https://h", "socks4://h", "socks5://ada:secret@h", "http://a b",
            "http://ada:100%@h", "http://[::1", "ftp://ada:secret@h",
        ])
    func anythingElseIsRefusedAndNotRepeated(text: String) {
        #expect { _ = try ProxyAddress(text) } throws: { error in
            guard let message = (error as? InvalidText)?.message else { return false }
            return !message.contains("secret") && !message.contains("ada")
        }
    }
}
