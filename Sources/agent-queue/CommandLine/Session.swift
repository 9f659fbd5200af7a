import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import FoundationEssentials
import Glibc

/// What a command runs with: the configuration and access to the database.
struct Session {
    let settings: Settings
    let environment: [String: String]

    /// Reads the configuration.
    ///
    /// - Parameter overrides: What further options set.
    /// - Throws: The first `SettingsError`.
    init(_ options: GlobalOptions, overrides: [SettingsOverride] = []) throws {
        let place = try LaunchContext(options)
        environment = place.environment
        settings = try Settings.load(
            configPath: options.config, environment: place.environment, currentDirectory: place.folder,
            overrides: place.overrides + overrides)
    }

    /// Opens the store for `body` and closes it afterwards.
    ///
    /// - Parameter createsFile: Whether to create a missing database: only for commands that add something. A command that reads must not,
    ///   because a misspelt path would look like an empty queue.
    /// - Parameter longestLogLeft: As in `StoreOptions`.
    /// - Throws: `CommandFailure` if there is no database and none is created.
    func withStore<Result>(
        createsFile: Bool = false, longestLogLeft: Int64 = 0, _ body: (QueueStore) async throws -> Result
    ) async throws -> Result {
        if !createsFile { try DatabaseFileCheck.requireFile(settings.database) }
        var options = settings.storeOptions
        options.createsFile = createsFile
        options.longestLogLeft = longestLogLeft
        let store = try QueueStore(path: settings.database, options: options)
        let watch = Task { await WriteLockWatch(store).run() }
        defer { watch.cancel() }
        do {
            let result = try await body(store)
            store.close()
            return result
        } catch {
            store.close()
            throw error
        }
    }

    /// Passes nil, and creates no file, if there is no database yet.
    func withExistingStore<Result>(_ body: (QueueStore?) async throws -> Result) async throws -> Result {
        var status = stat()
        guard stat(settings.database, &status) == 0 || QueueStore.isIncomplete(settings.database) else { return try await body(nil) }
        return try await withStore(createsFile: false) { store in try await body(store) }
    }
}

extension Session {
    /// Opens the memories for `body` and closes them afterwards.
    ///
    /// - Parameter createsFile: As for ``withStore(createsFile:_:)``.
    func withMemories<Result>(createsFile: Bool = false, _ body: (Memories) async throws -> Result) async throws -> Result {
        try await withStore(createsFile: createsFile) { store in
            let memories = Memories(settings, store: store, environment: environment) { Diagnostics.say($0) }
            do {
                let result = try await body(memories)
                try await memories.shutdown()
                return result
            } catch {
                // The first error is the one to report.
                try? await memories.shutdown()
                throw error
            }
        }
    }
}

/// The environment, folder and options that a command was started with.
struct LaunchContext {
    let environment: [String: String]
    /// The current folder, absolute.
    let folder: String
    let overrides: [SettingsOverride]

    init(_ options: GlobalOptions) throws {
        do {
            environment = try ProcessText.environment()
            folder = try ProcessText.currentFolder()
        } catch {
            throw CommandFailure(.badInput, error.message)
        }
        overrides = options.database.map { [SettingsOverride(key: "database", value: $0, option: "--database")] } ?? []
    }
}

/// The options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Database file.", discussion: "Default: $AGENT_QUEUE_DATABASE, then `database:` in the configuration, then your data folder.",
            valueName: "file"),
        completion: .file())
    var database: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Configuration file.", discussion: "Default: $AGENT_QUEUE_CONFIG, then ./agent-queue.yaml, then your configuration folder.",
            valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?
}

/// `--json`.
struct FormatOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON, one object per line.")
    var json = false
}

/// The clocks.
enum Now {
    /// Wall clock, ms since 1970.
    static var milliseconds: Int64 { WallClock.milliseconds() }

    /// Monotonic clock in seconds, for rates.
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
