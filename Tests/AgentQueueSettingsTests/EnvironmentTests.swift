import AgentQueueModel
import Testing

@testable import AgentQueueSettings

@Suite struct EnvironmentTests {
    private func load(_ environment: [String: String], _ yaml: String? = nil) throws -> Settings {
        var fixture = Fixture(yaml)
        fixture.environment.merge(environment) { $1 }
        return try fixture.load()
    }

    private func fault(_ environment: [String: String]) -> String? {
        var fixture = Fixture()
        fixture.environment.merge(environment) { $1 }
        return fixture.fault()
    }

    @Test func enableAsync() throws {
        #expect(try load([:]).enableAsync)
        #expect(try load(["ENABLE_ASYNC": "true"]).enableAsync)
        let synchronous = try load(["ENABLE_ASYNC": "false"], "worker: { concurrency: 9, processes: 4 }")
        #expect(!synchronous.enableAsync)
        #expect(synchronous.worker.concurrency == 9)
        #expect(synchronous.effectiveWorker.concurrency == 1)
        #expect(synchronous.effectiveWorker.processes == 1)
        #expect(synchronous.effectiveWorker.linger == .zero)
    }

    @Test func useClaudeCode() throws {
        #expect(try load(["USE_CLAUDE_CODE": "1"], "default_model: local/x").defaultModel == "claude-code/sonnet")
        #expect(try load(["USE_CLAUDE_CODE": "false"], "default_model: local/x").defaultModel == "local/x")
    }

    @Test func timeouts() throws {
        #expect(try load(["HTTP_TIMEOUT": "45"]).http.requestTimeout == .seconds(45))
        #expect(try load(["AIOHTTP_TIMEOUT": "2.5"]).http.requestTimeout == .milliseconds(2500))
        let both = try load(["AIOHTTP_TIMEOUT": "45", "HTTP_TIMEOUT": "60"])
        #expect(both.http.requestTimeout == .seconds(60))
        #expect(both.origin(of: "http.request_timeout").description == "environment HTTP_TIMEOUT")
    }

    @Test func emptyCountsAsNotSet() throws {
        let names = ["HTTP_TIMEOUT", "CACHE_MAX_SIZE", "ENABLE_ASYNC", "AGENT_QUEUE_CONFIG", "AGENT_QUEUE_DATABASE"]
        let settings = try load(Dictionary(uniqueKeysWithValues: names.map { ($0, "") }))
        #expect(settings.origins.isEmpty)
    }

    @Test(arguments: [
        ("CACHE_MAX_SIZE", "lots", "CACHE_MAX_SIZE: 'lots' is not a whole number"),
        ("CACHE_MAX_SIZE", "-1", "CACHE_MAX_SIZE: -1 is out of range (0 to 10000000)"),
        ("HTTP_TIMEOUT", "0", "HTTP_TIMEOUT: 0s is out of range (100ms to 1d)"),
        ("AIOHTTP_TIMEOUT", "-3", "AIOHTTP_TIMEOUT: '-3' is negative; a duration cannot be"),
        ("ENABLE_ASYNC", "nope", "ENABLE_ASYNC: 'nope' is neither true nor false"),
        ("USE_CLAUDE_CODE", "sonnet", "USE_CLAUDE_CODE: 'sonnet' is neither true nor false"),
    ])
    func faultsNameTheVariable(_ name: String, _ value: String, _ expected: String) {
        #expect(fault([name: value]) == expected)
    }

    @Test func faultsOfTheCommandLineNameTheOption() {
        var fixture = Fixture()
        fixture.overrides = [SettingsOverride(key: "worker.concurrency", value: "0", option: "--concurrency")]
        #expect(fixture.fault() == "--concurrency: 0 is out of range (1 to 1024)")
        fixture.overrides = [SettingsOverride(key: "worker.concurency", value: "1", option: "--concurrency")]
        #expect(fixture.fault() == "--concurrency: unknown key 'worker.concurency' (did you mean 'worker.concurrency'?)")
    }
}
