/// Everything that can be configured, validated once, at the door: code that holds a `Settings` checks nothing again.
///
/// Made by ``load(configPath:environment:currentDirectory:overrides:files:)`` from, strongest first: command line, environment, file,
/// built-in defaults. Every value knows where it came from (``entries``, ``origin(of:)``). Keys of providers are not in here, only where to
/// find them (``ProviderSettings/resolveAPIKey(environment:files:)``).
public struct Settings: Equatable, Sendable {
    /// The absolute path of the database file. Default `$XDG_DATA_HOME/agent-queue/queue.db`.
    public var database: String
    /// False runs one job at a time without coalescing, the synchronous fallback; see ``effectiveWorker``. Default true; set by the
    /// environment variable `ENABLE_ASYNC` alone.
    public var enableAsync = true
    /// How a worker process claims and runs jobs, as configured; ``effectiveWorker`` is what applies.
    public var worker = WorkerSettings()
    /// Which replies are kept for identical requests, and for how long.
    public var cache = CacheSettings()
    /// How texts are remembered with their vectors.
    public var memory = MemorySettings()
    /// The HTTP client that all providers share: connections and time limits.
    public var http = HTTPSettings()
    /// When a lane stops calling a provider that keeps failing.
    public var breaker = BreakerSettings()
    /// How long finished jobs stay before `prune` removes them.
    public var retention = RetentionSettings()
    /// What a commit survives. Default `full`.
    public var durability = DurabilityLevel.full
    /// The target of a job that names none. Default `local/smollm2`; `claude-code/sonnet` with `USE_CLAUDE_CODE=true`.
    public var defaultModel = "local/smollm2"
    /// The providers by name: the built-in ones, changed and added to by the file.
    public var providers = Settings.builtInProviders
    /// What holds for single targets, by `provider/model`.
    public var models = Settings.builtInModels
    /// How ends are told, by name. Default none.
    public var notifications: [String: NotificationSettings] = [:]
    /// Who models are to be, by name: for steps of pipelines, and for jobs that name a role.
    public var roles: [String: RoleSettings] = [:]
    /// Pipelines with settings, by the names that `agent-queue run` knows them by.
    public var modes: [String: ModeSettings] = [:]
    /// The folder of the user's own pipelines, absolute. Default `pipelines` beside the configuration file, or where there is none, in the
    /// current folder.
    public var pipelines = ""

    /// The configuration file that was read, as it was named; nil if there was none.
    public internal(set) var configPath: String?
    /// Where each value that is not a default came from, by key.
    var origins: [String: SettingsOrigin] = [:]

    /// The built-in defaults around a database.
    public init(database: String) {
        self.database = database
    }
}
