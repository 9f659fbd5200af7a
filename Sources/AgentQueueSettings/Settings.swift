import AgentQueueModel

/// The whole configuration, validated once when it is loaded: code that holds a `Settings` need not check anything again.
///
/// ``load(configPath:environment:currentDirectory:overrides:ownProviders:files:)`` makes it from, strongest first, the command line, the
/// environment, the file and the built-in defaults. Every value knows its origin (``entries``, ``origin(of:)``). It does not hold the keys
/// of providers, only where to find them (``ProviderSettings/resolveAPIKey(environment:files:)``).
package struct Settings: Equatable, Sendable {
    /// The absolute path of the database file. Default `$XDG_DATA_HOME/agent-queue/queue.db`.
    package var database: String
    /// False runs one job at a time without coalescing, as a synchronous fallback; see ``effectiveWorker``. Default true; only the
    /// environment variable `ENABLE_ASYNC` sets it.
    package var enableAsync = true
    /// The worker's settings as configured; ``effectiveWorker`` is what applies.
    package var worker = WorkerSettings()
    package var cache = CacheSettings()
    package var memory = MemorySettings()
    package var http = HTTPSettings()
    package var breaker = BreakerSettings()
    /// How long finished jobs are kept before `prune` removes them.
    package var retention = RetentionSettings()
    /// What a commit survives. Default `full`.
    package var durability = Durability.full
    /// The target of a job that names none. Default `local/smollm2`; `claude-code/sonnet` with `USE_CLAUDE_CODE=true`.
    package var defaultModel = "local/smollm2"
    /// The providers by name: the built-in ones, as changed and extended by the file.
    package var providers = Settings.builtInProviders
    /// The names of providers that the embedding program brings itself; targets may name them too.
    var ownProviders: Set<String> = []
    /// Settings of individual targets, by `provider/model`.
    package var models = Settings.builtInModels
    /// Notifications by name. Default none.
    package var notifications: [String: NotificationSettings] = [:]
    /// Roles by name, for pipeline steps and for jobs that name a role.
    package var roles: [String: RoleSettings] = [:]
    /// Modes by the names that `agent-queue run` knows: pipelines with settings.
    package var modes: [String: ModeSettings] = [:]
    /// The HTTP gateway.
    package var serve = ServeSettings()
    /// The absolute path of the folder with the user's own pipelines. Default `pipelines` beside the configuration file, or in the current
    /// folder if there is no such file.
    package var pipelines = ""

    /// The path, as it was given, of the configuration file that was read; nil if there was none.
    public internal(set) var configPath: String?
    /// The origin of each value that is not a default, by key.
    var origins: [String: SettingsOrigin] = [:]

    /// The built-in defaults with this database.
    package init(database: String) {
        self.database = database
    }
}

extension Settings {
    /// The worker's settings as they apply: with `ENABLE_ASYNC=false`, one process, one call at a time, one job per claim, no lingering.
    package var effectiveWorker: WorkerSettings {
        guard !enableAsync else { return worker }
        var worker = worker
        worker.concurrency = 1
        worker.processes = 1
        worker.batchSize = 1
        worker.linger = .zero
        return worker
    }

    /// The provider a target names; nil if the configuration has none with that name.
    package func provider(of target: TargetName) -> ProviderSettings? {
        providers[target.provider]
    }

    /// The settings of a target; the defaults if the configuration has none for it.
    package func model(_ target: TargetName) -> ModelSettings {
        models[target.description] ?? ModelSettings()
    }

    /// The prefix of a text that searches for others, for an embedding target. The E5 models need `query: ` and `passage: `, as their
    /// authors say (Wang et al., "Text Embeddings by Weakly-Supervised Contrastive Pre-training", 2022); other models need none.
    package func queryPrefix(of target: String) -> String { models[target]?.queryPrefix ?? (Self.isE5(target) ? "query: " : "") }

    /// The prefix of a text that is remembered, for an embedding target.
    package func passagePrefix(of target: String) -> String { models[target]?.passagePrefix ?? (Self.isE5(target) ? "passage: " : "") }

    /// Whether a part of the model's name is `e5`.
    private static func isE5(_ target: String) -> Bool {
        let model = target.drop { $0 != "/" }.lowercased()
        return model.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).contains("e5")
    }

    /// How long a memory in this namespace is kept unless it says so itself.
    package func retention(ofNamespace name: String) -> MemoryRetention { memory.namespaces[name]?.retention ?? memory.retention }

    /// How long a target's replies may be served from the cache unless the job says so itself.
    package func cacheTTL(of target: String) -> Duration { models[target]?.cacheTTL ?? cache.ttl }
}

extension Settings {
    /// `local`, `local-embeddings`, `openai`, `anthropic` and `claude-code`: everything runs without a configuration file.
    static let builtInProviders: [String: ProviderSettings] = {
        var local = ProviderSettings(kind: .openai)
        local.baseURL = "http://127.0.0.1:8089/v1"

        var localEmbeddings = ProviderSettings(kind: .openai)
        localEmbeddings.baseURL = "http://127.0.0.1:8090/v1"
        localEmbeddings.embeddings.maxInputs = 256

        var openai = ProviderSettings(kind: .openai)
        openai.baseURL = "https://api.openai.com/v1"
        openai.apiKeyEnv = "OPENAI_API_KEY"
        openai.limits.rpm = 500
        openai.limits.tpm = 200_000
        openai.limits.concurrency = 10
        openai.limits.usdPerDay = 20

        var anthropic = ProviderSettings(kind: .anthropic)
        anthropic.apiKeyEnv = "ANTHROPIC_API_KEY"

        var claudeCode = ProviderSettings(kind: .claudeCode)
        claudeCode.concurrency = 3

        return [
            "local": local, "local-embeddings": localEmbeddings, "openai": openai, "anthropic": anthropic, "claude-code": claudeCode,
        ]
    }()

    static let builtInModels: [String: ModelSettings] = {
        var sonnet = ModelSettings()
        sonnet.fallbackAfter = .seconds(30)
        sonnet.price = PriceSettings(inputPerMTok: 3, outputPerMTok: 15)
        // A model this small often does not stop by itself.
        var small = ModelSettings()
        small.maxOutputTokens = 512
        return ["anthropic/claude-sonnet-4-5": sonnet, "local/smollm2": small]
    }()
}
