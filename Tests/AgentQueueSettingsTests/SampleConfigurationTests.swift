import Foundation
import Testing

@testable import AgentQueueSettings

@Suite struct SampleConfigurationTests {
    @Test func saysExactlyTheDefaults() throws {
        var sample = try Fixture(SampleConfiguration.yaml).load()
        sample.origins = [:]
        sample.configPath = nil
        #expect(sample == (try Fixture().load()))
    }

    @Test func saysEveryKey() throws {
        let sample = try Fixture(SampleConfiguration.yaml).load()
        let unsaid = sample.entries.filter { $0.origin == .builtIn }.map(\.key)
        // The database depends on the machine and the pipelines on the file's place, so their lines are comments; `enable_async` is the
        // environment's alone.
        #expect(unsaid == ["database", "pipelines", "enable_async", "providers.anthropic.base_url"])
        for name in [
            ProviderSettings.keys.settings.map(\.name), ModelSettings.keys.settings.map(\.name), RoleSettings.keys.settings.map(\.name),
            ModeSettings.keys.settings.map(\.name),
        ].joined() {
            #expect(SampleConfiguration.yaml.contains("\n#   \(name) "), "\(name) is not documented")
        }
        for name in NamespaceSettings.keys.settings.map(\.name) {
            #expect(SampleConfiguration.yaml.contains("\n  #   \(name) "), "\(name) is not documented")
        }
    }

    @Test func theRepositorysOwnFileIsTheSample() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appending(path: "config/agent-queue.yaml").path
        guard FileManager.default.fileExists(atPath: path) else { return }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == SampleConfiguration.yaml)
    }
}
