import AgentQueueModel
import Testing

@testable import AgentQueueSettings

@Suite struct ConnectionSettingsTests {
    @Test func readsProxiesAndCertificates() throws {
        let settings = try Fixture(
            """
            http: { proxy: "http://ada:secret@proxy.example:3128", ca_file: ca.pem, client_certificate: ~/me.pem, client_key: /etc/me.key }
            providers:
              local: { proxy: none }
              openai: { proxy: "socks5://127.0.0.1", client_certificate: own.pem }
            """
        ).load()
        #expect(settings.http.connection.proxy == .proxy(try ProxyAddress("http://ada:secret@proxy.example:3128")))
        let local = try #require(settings.providers["local"]).connection.inheriting(settings.http.connection)
        #expect(local.proxy == .direct)
        #expect(local.caFile == "/project/ca.pem")
        #expect(local.clientCertificate == "/home/ada/me.pem")
        #expect(local.clientKey == "/etc/me.key")
        let openai = try #require(settings.providers["openai"]).connection.inheriting(settings.http.connection)
        #expect(openai.proxy == .proxy(try ProxyAddress("socks5://127.0.0.1:1080")))
        #expect(openai.clientCertificate == "/project/own.pem")
        #expect(openai.clientKey == nil)
        let shown = Dictionary(settings.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        #expect(shown["http.proxy"] == "http://***@proxy.example:3128")
        #expect(shown["providers.local.proxy"] == "none")
        #expect(shown["providers.openai.proxy"] == "socks5://127.0.0.1:1080")
        #expect(!settings.entries.contains { $0.value.contains("secret") })
    }

    @Test(
        arguments: [
            (
                "http: { proxy: 'ftp://ada:secret@h' }",
                "agent-queue.yaml:1: http.proxy: is not the address of a proxy (such as http://proxy.example:3128 or socks5://127.0.0.1:1080)"
            ),
            (
                "http:\n  client_key: a.key",
                "agent-queue.yaml:2: http.client_key: needs its certificate; set client_certificate too"
            ),
            (
                "providers: { openai: { client_key: a.key } }",
                "agent-queue.yaml:1: providers.openai.client_key: needs its certificate; set client_certificate too"
            ),
        ])
    func saysWhatIsWrong(yaml: String, message: String) {
        #expect(Fixture(yaml).fault() == message)
    }

    @Test func theCheckReadsTheFiles() {
        var fixture = Fixture(
            """
            http:
              ca_file: /ca.pem
              client_certificate: /me.pem
            providers:
              openai: { ca_file: /text, client_certificate: /me.pem, client_key: /locked.key }
            """)
        let certificate = "-----BEGIN CERTIFICATE-----\n"
        fixture.files["/me.pem"] = certificate
        fixture.files["/text"] = "text"
        fixture.files["/locked.key"] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        #expect(
            fixture.check().map(\.description) == [
                "agent-queue.yaml:2: http.ca_file: /ca.pem does not exist",
                "agent-queue.yaml:3: http.client_certificate: /me.pem holds no private key in PEM form",
                "agent-queue.yaml:5: providers.openai.ca_file: /text holds no certificate in PEM form",
                "agent-queue.yaml:5: providers.openai.client_key: /locked.key is encrypted; store the key without a passphrase, "
                    + "readable by its owner only",
            ])
        fixture.files["/ca.pem"] = certificate
        fixture.files["/text"] = certificate
        fixture.files["/me.pem"] = certificate + "-----BEGIN PRIVATE KEY-----\n"
        fixture.files["/locked.key"] = "-----BEGIN EC PRIVATE KEY-----\n"
        #expect(fixture.check().isEmpty)
    }
}
