import AgentQueueModel
import Testing

/// Which proxies and certificates are used: `doctor`, `providers check`, `config`.
@Suite struct ConnectionCommandTests {
    private let environment = ["HTTPS_PROXY": "http://ada:secret@127.0.0.1:1", "OPENAI_API_KEY": "k"]

    @Test("The doctor says which proxy each provider uses, without its password")
    func doctor() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "providers: { anthropic: { proxy: none } }")
        let doctor = try await sandbox.run("doctor", environment: environment)
        #expect(
            doctor.lines.contains(
                "ok    network: provider claude-code, provider openai: through the proxy http://127.0.0.1:1 (HTTPS_PROXY)"),
            "\(doctor.output)")
        #expect(!doctor.output.contains("secret"))
    }

    @Test("A test call goes through the proxy, and says so")
    func check() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "http: { max_retries: 0 }")
        let json = try await sandbox.run("providers", "check", "openai", "--json", environment: environment)
        let result = try JSONValue.parse(json.lines.first ?? "")
        #expect(result["proxy"] == "http://127.0.0.1:1")
        #expect(result["proxy_source"] == "HTTPS_PROXY")
        #expect(result["reason"]?.string?.hasSuffix("connection refused (through the proxy http://127.0.0.1:1)") == true)
        let table = try await sandbox.run("providers", "check", "openai", environment: environment)
        #expect(table.status == 69)
        #expect(table.lines.first?.contains("NETWORK") == true)
        #expect(!(json.output + json.error + table.output + table.error).contains("secret"))
    }

    @Test("A file of certificates that is not there is a fault with its line")
    func certificates() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "http:\n  proxy: http://ada:secret@h\n  ca_file: gone.pem\n")
        let check = try await sandbox.run("config", "check")
        #expect(check.status == 78)
        #expect((check.output + check.error).contains("agent-queue.yaml:3: http.ca_file: \(sandbox.folder)/gone.pem does not exist"))
        let shown = try await sandbox.run("config", "show")
        #expect(shown.output.contains("http://***@h:80"))
        #expect(!shown.output.contains("secret"))
    }
}
