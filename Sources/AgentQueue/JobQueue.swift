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
/// Any number of programs, `agent-queue` and `agent-worker` among them, may use one database at once.
public struct JobQueue: Sendable {
    /// The database.
    package let store: QueueStore
    /// What it was configured with.
    package let settings: Settings
    /// Decides what runs do next.
    package let planner: PipelinePlanner
    /// What is remembered.
    package let memories: Memories
    /// Where API keys and programs are looked up.
    package let environment: [String: String]
    /// The embedding program's own providers.
    package let own: [any ModelProvider]
    let ownWorkers: OwnWorkers

    /// Opens a queue with the built-in settings, whatever configuration files there are.
    /// - Parameters:
    ///   - database: the file; it is made where there is none.
    ///   - settings: values by the keys of the configuration file, such as `["default_model": "openai/gpt-5-mini", "worker.concurrency": "8"]`.
    ///   - providers: the program's own, each in place of a built-in one of its name.
    ///   - environment: where API keys are looked up; nil is the process's.
    /// - Throws: `InputError` for a setting that is wrong, `StoreError`.
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

    /// Opens the queue that `agent-queue` and `agent-worker` use here: by a configuration file and the environment.
    /// - Parameters:
    ///   - configuration: the file; nil is `AGENT_QUEUE_CONFIG`, `agent-queue.yaml` in this folder, or the user's, or none.
    ///   - settings: values by the keys of the file, which come before it and the environment.
    ///   - providers: the program's own, each in place of a configured one of its name.
    ///   - environment: where API keys and settings are looked up; nil is the process's.
    /// - Throws: `InputError` for a configuration that cannot be used, `StoreError`.
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
    ///   - own: the embedding program's providers, each in place of a configured one of its name.
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

    /// Closes connections, ends the program's own providers, and closes the database. Nothing can be asked of the queue after it.
    public func close() async throws {
        defer { store.close() }
        try await memories.shutdown()
        for provider in own { await provider.shutdown() }
    }

    /// What validating a job needs to know now.
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
