import AgentQueueModel
import Testing

@testable import AgentQueueSettings

@Suite struct ServeSettingsTests {
    @Test func everyKeyIsRead() throws {
        let settings = try Fixture(
            """
            serve:
              listen: "[::1]:9000"
              socket: run/serve.sock
              public_url: https://Queue.example/ai/
              hosts: [Queue.example, "queue.example:8443", "[::1]:1"]
              origins: ["https://App.example", "http://localhost:3000"]
              tls: { certificate: tls.pem, key: tls.key }
              plain_http: true
              concurrency: 3
              max_wait: 0s
              max_waiting: 4
              max_body: 1MiB
              max_connections: 5
              stream_memory: 2MiB
              on_disconnect: finish
              unsupported: drop
              keepalive: chunk
              ping: 1s
              trusted_proxies: [127.0.0.1, 10.0.0.0/8]
              keep_cached: 1h
              idempotency: 1h
              attach: 1m
              models: { gpt-4o-mini: local/smollm2, "claude-*": claude-code/sonnet, "*": local/other }
              cache: on
              cache_scope: own
            """
        ).load()
        let serve = settings.serve
        #expect(serve.listen == ListenAddress(host: "::1", port: 9000))
        #expect(serve.socket == "/project/run/serve.sock")
        #expect(serve.publicURL == "https://Queue.example/ai")
        #expect(serve.hosts == ["queue.example", "queue.example:8443", "[::1]:1"])
        #expect(serve.origins == ["https://app.example", "http://localhost:3000"])
        #expect(serve.tls.certificate == "/project/tls.pem")
        #expect(serve.tls.key == "/project/tls.key")
        #expect(serve.concurrency == 3 && serve.maxWaiting == 4 && serve.maxConnections == 5 && serve.cache && serve.plainHTTP)
        #expect(serve.onDisconnect == .finish && serve.unsupported == .drop && serve.keepalive == .chunk)
        #expect(serve.cacheScope == .own && Settings(database: "q.db").serve.cacheScope == .shared)
        #expect(serve.maxWait == .zero && serve.ping == .seconds(1) && serve.attach == .seconds(60))
        #expect(serve.target(ofAlias: "gpt-4o-mini") == "local/smollm2")
        #expect(serve.target(ofAlias: "claude-opus-9") == "claude-code/sonnet")
        #expect(serve.target(ofAlias: "claude") == "local/other")
        let inside = try #require(IPAddress("10.2.3.4"))
        #expect(serve.trustedProxies.map { $0.contains(inside) } == [false, true])
        let shown = Dictionary(settings.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        #expect(shown["serve.listen"] == "[::1]:9000")
        #expect(
            shown["serve.models"]
                == #"{ "gpt-4o-mini": local/smollm2, "claude-*": claude-code/sonnet, "*": local/other }"#)
        // What is shown can be read back.
        let again = try Fixture("serve: { models: \(try #require(shown["serve.models"])) }").load()
        #expect(again.serve.models == serve.models)
    }

    @Test func theCommandLineSetsTheAddress() throws {
        var fixture = Fixture("serve: { listen: 127.0.0.1:1 }")
        fixture.overrides = [SettingsOverride(key: "serve.listen", value: "localhost:0", option: "--listen")]
        #expect(try fixture.load().serve.listen == ListenAddress(host: "localhost", port: 0))
        fixture.overrides = [SettingsOverride(key: "serve.listen", value: "8484", option: "--listen")]
        #expect(fixture.fault() == "--listen: '8484' is not an address to listen on (such as 127.0.0.1:8484 or [::1]:8484)")
    }

    @Test(
        arguments: [
            (
                "serve: { listen: 0.0.0.0:8484 }",
                "serve.listen: 0.0.0.0:8484 can be reached from other machines; set serve.tls (certificate and key), or "
                    + "serve.plain_http: true to send keys and prompts unencrypted"
            ),
            (
                "serve: { listen: 127.0.0.1 }",
                "serve.listen: '127.0.0.1' is not an address to listen on (such as 127.0.0.1:8484 or [::1]:8484)"
            ),
            (
                "serve: { listen: '::1:80' }",
                "serve.listen: '::1:80' is not an address to listen on (such as 127.0.0.1:8484 or [::1]:8484)"
            ),
            ("serve: { listen: none }", "serve.listen: is none, so serve.socket must name a socket to listen on"),
            ("serve: { tls: { key: a.key } }", "serve.tls.key: needs its certificate; set serve.tls.certificate too"),
            (
                "serve: { socket: /\(String(repeating: "s", count: 107)) }",
                "serve.socket: is 108 bytes long (at most 107, a limit of the system)"
            ),
            (
                "serve: { public_url: 'https://user@queue.example' }",
                "serve.public_url: is not an address for clients (such as https://queue.example/ai)"
            ),
            ("serve: { hosts: ['https://a'] }", "serve.hosts: 'https://a' is not a host (such as queue.example or queue.example:8443)"),
            ("serve: { origins: ['app.example'] }", "serve.origins: 'app.example' is not an origin (such as https://app.example)"),
            ("serve: { origins: ['null'] }", "serve.origins: 'null' is not an origin (such as https://app.example)"),
            ("serve: { ping: 2m }", "serve.ping: 2m is out of range (1s to 1m)"),
            ("serve: { on_disconnect: stop }", "serve.on_disconnect: 'stop' is not one of auto, finish, cancel"),
            (
                "serve: { trusted_proxies: [10.0.0.0/33] }",
                "serve.trusted_proxies: '10.0.0.0/33' is not an IP address or a range of them (such as 10.0.0.7 or 10.0.0.0/8)"
            ),
            ("serve: { models: { gpt: nowhere/x } }", "serve.models: provider 'nowhere' is not configured"),
            ("serve: { models: { gpt: 5 } }", "serve.models: 'gpt' has no target (provider/model)"),
            ("serve: { models: [a] }", "serve.models: expected keys and values"),
        ])
    func saysWhatIsWrong(yaml: String, message: String) {
        #expect(Fixture(yaml).fault()?.hasSuffix(message) == true, "\(Fixture(yaml).fault() ?? "nothing")")
    }

    @Test func anAddressOffTheMachineNeedsTLSOrAWord() throws {
        #expect(try Fixture("serve: { listen: 0.0.0.0:1, plain_http: true }").load().serve.plainHTTP)
        #expect(try Fixture("serve: { listen: 0.0.0.0:1, tls: { certificate: c.pem } }").load().serve.tls.key == nil)
        #expect(try Fixture("serve: { listen: none, socket: s }").load().serve.listen == nil)
        for text in ["127.8.8.8:1", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] { #expect(try ListenAddress(text).isLoopback) }
        for text in ["0.0.0.0:1", "[::]:1", "queue.example:1", "10.0.0.1:1"] { #expect(try !ListenAddress(text).isLoopback) }
    }

    @Test(
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("192.168.1.128/25", "192.168.1.127", false), ("192.168.1.128/25", "192.168.1.200", true), ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe00::1", false), ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false), ("10.0.0.7", "10.0.0.7", true),
        ])
    func rangesOfAddresses(range: String, address: String, fits: Bool) throws {
        #expect(try AddressRange(range).contains(#require(IPAddress(address))) == fits)
    }

    @Test(
        arguments: [
            ("*", "", true), ("*", "anything/at-all", true), ("a*c", "abc", true), ("a*c", "acb", false), ("a**b*", "ab", true),
            ("claude-*", "claude-", true), ("claude-*", "xclaude-1", false), ("*-mini*", "gpt-4o-mini-2024", true), ("a", "a*", false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ])
    func patterns(pattern: String, name: String, fits: Bool) throws {
        #expect(try NamePattern(pattern).matches(name) == fits)
    }
}
