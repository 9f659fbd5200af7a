@testable import AgentQueueSettings

/// A made-up machine: files by absolute path, home `/home/ada`, current folder `/project`.
struct Fixture {
    var files: [String: String] = [:]
    var environment: [String: String] = ["HOME": "/home/ada"]
    var configPath: String?
    var overrides: [SettingsOverride] = []

    /// A machine whose `/project/agent-queue.yaml` is `yaml`.
    init(_ yaml: String? = nil) {
        files["/project/agent-queue.yaml"] = yaml
    }

    func load() throws(SettingsError) -> Settings {
        try Settings.load(
            configPath: configPath, environment: environment, currentDirectory: "/project", overrides: overrides, files: reader)
    }

    func check() -> [SettingsError] {
        Settings.check(
            configPath: configPath, environment: environment, currentDirectory: "/project", overrides: overrides, files: reader)
    }

    /// What loading says is wrong; nil if nothing.
    func fault() -> String? {
        do {
            _ = try load()
            return nil
        } catch {
            return error.description
        }
    }

    private var reader: FileReader {
        let files = files
        return FileReader { path in files[path].map { FileContents(text: $0) } }
    }
}
