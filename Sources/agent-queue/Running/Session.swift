import AgentQueue
import Glibc
import QueueStore
import Settings

/// What a command runs with: the configuration as it applies here, and the way to the database.
struct Session {
    let settings: Settings
    let environment: [String: String]

    /// Reads the configuration.
    ///
    /// - Throws: `SettingsError`, the first fault.
    init(_ options: GlobalOptions) throws {
        let place = try Place(options)
        environment = place.environment
        settings = try Settings.load(
            configPath: options.config, environment: place.environment, currentDirectory: place.folder, overrides: place.overrides)
    }

    /// Opens the store, lends it, and closes it, whatever happens.
    func withStore<Result>(
        createsFile: Bool = true, _ body: (QueueStore) async throws -> Result
    ) async throws -> Result {
        var options = settings.storeOptions
        options.createsFile = createsFile
        let store = try QueueStore(path: settings.database, options: options)
        do {
            let result = try await body(store)
            store.close()
            return result
        } catch {
            store.close()
            throw error
        }
    }
    /// Lends the store of a database that is there; nil, and no file is made, where none is.
    func withExistingStore<Result>(_ body: (QueueStore?) async throws -> Result) async throws -> Result {
        var status = stat()
        guard stat(settings.database, &status) == 0 else { return try await body(nil) }
        return try await withStore(createsFile: false) { store in try await body(store) }
    }
}
