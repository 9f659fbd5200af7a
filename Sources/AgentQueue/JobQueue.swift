import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Foundation

/// A queue of model calls in one SQLite file, for a program that embeds it.
///
/// ```swift
/// let queue = try JobQueue(database: "queue.db")
/// let worker = Task { try await queue.work() }
/// let job = try await queue.enqueue("What is the capital of Portugal?")
/// print(try await queue.answer(to: job.id))
/// worker.cancel()
/// ```
///
/// Any number of programs, including `agent-queue` and `agent-worker`, can use one database at the same time.
public struct JobQueue: Sendable {
    package let store: QueueStore
    package let settings: Settings
    /// Decides what runs do next.
    package let planner: PipelinePlanner
    package let memories: Memories
    /// Where API keys and programs are looked up.
    package let environment: [String: String]
    /// The embedding program's own providers.
    package let own: [any ModelProvider]
    let ownWorkers: OwnWorkers

    /// Opens a queue with the built-in settings. Configuration files are ignored.
    /// - Parameters:
    ///   - database: the file, which is created if it does not exist. A relative path is below the current folder.
    ///   - settings: values by the keys of the configuration file, such as `["default_model": "openai/gpt-5-mini", "worker.concurrency":
    ///     "8"]`.
    ///   - providers: the program's own providers. One with the name of a built-in provider replaces it.
    ///   - environment: where API keys are looked up; nil for the process's environment.
    /// - Throws: `InputError` for an invalid setting, `StoreError`.
    public init(
        database: String, settings: [String: String] = [:], providers: [any ModelProvider] = [], environment: [String: String]? = nil
    ) throws {
        let folder = FileManager.default.currentDirectoryPath
        let resolved = try Self.reported { () throws(SettingsError) in
            try Settings.builtIn(
                database: database, currentDirectory: folder, overrides: Self.overrides(settings),
                ownProviders: Set(providers.map(\.name)))
        }
        try self.init(resolved, environment: environment ?? ProcessInfo.processInfo.environment, own: providers)
    }

    /// Opens the queue that `agent-queue` and `agent-worker` use here, by the configuration file and the environment.
    /// - Parameters:
    ///   - configuration: the file; nil for `AGENT_QUEUE_CONFIG`, `agent-queue.yaml` in this folder, the user's file, or none.
    ///   - settings: values by the keys of the file, which take precedence over the file and the environment.
    ///   - providers: the program's own providers. One with the name of a configured provider replaces it.
    ///   - environment: where API keys and settings are looked up; nil for the process's environment.
    /// - Throws: `InputError` for an unusable configuration, `StoreError`.
    public init(
        configuration: String? = nil, settings: [String: String] = [:], providers: [any ModelProvider] = [],
        environment: [String: String]? = nil
    ) throws {
        let environment = environment ?? ProcessInfo.processInfo.environment
        let folder = FileManager.default.currentDirectoryPath
        let loaded = try Self.reported { () throws(SettingsError) in
            try Settings.load(
                configPath: configuration, environment: environment, currentDirectory: folder, overrides: Self.overrides(settings),
                ownProviders: Set(providers.map(\.name)))
        }
        try self.init(loaded, environment: environment, own: providers)
    }

    /// Opens a queue.
    /// - Parameters:
    ///   - environment: where API keys are looked up.
    ///   - own: the embedding program's providers. One with the name of a configured provider replaces it.
    /// - Throws: `StoreError`.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) throws {
        self.settings = settings
        self.environment = environment
        self.own = own
        store = try QueueStore(path: settings.database, options: settings.storeOptions)
        planner = PipelinePlanner(store: store, settings: settings, own: own)
        memories = Memories(settings, store: store, environment: environment, own: own)
        ownWorkers = OwnWorkers()
    }

    /// Closes connections, shuts down the program's own providers, and closes the database. The queue cannot be used afterwards.
    public func close() async throws {
        defer { store.close() }
        try await memories.shutdown()
        for provider in own { await provider.shutdown() }
    }

    var context: IntakeContext { settings.intakeContext(now: store.clock.wall(), own: own) }

    private static func overrides(_ settings: [String: String]) -> [SettingsOverride] {
        settings.sorted { $0.key < $1.key }.map { SettingsOverride(key: $0.key, value: $0.value, option: "setting \($0.key)") }
    }

    private static func reported<Value>(_ body: () throws(SettingsError) -> Value) throws(InputError) -> Value {
        do throws(SettingsError) {
            return try body()
        } catch {
            throw InputError(error.description, kind: .usage)
        }
    }
}
