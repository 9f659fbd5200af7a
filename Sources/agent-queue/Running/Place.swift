import FoundationEssentials
import Glibc
import Settings

/// Where a command was started, and what it was told about where things are.
struct Place {
    let environment: [String: String]
    /// The current folder, absolute.
    let folder: String
    let overrides: [SettingsOverride]

    init(_ options: GlobalOptions) throws {
        environment = ProcessInfo.processInfo.environment
        guard let path = getcwd(nil, 0) else { throw SystemFailure.make("find the current folder", errno: errno) }
        defer { free(path) }
        folder = String(cString: path)
        overrides = options.database.map { [SettingsOverride(key: "database", value: $0, option: "--database")] } ?? []
    }
}
