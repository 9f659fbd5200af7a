import AgentQueueModel

/// Everything that can be configured, validated once, at the door: code that holds a `Settings` checks nothing again.
///
/// Made by ``load(configPath:environment:currentDirectory:overrides:files:)`` from, strongest first: command line, environment, file,
/// built-in defaults. Every value knows where it came from (``entries``, ``origin(of:)``). Keys of providers are not in here, only where to
/// find them (``ProviderSettings/resolveAPIKey(environment:files:)``).
package struct Settings: Equatable, Sendable {
    /// The absolute path of the database file. Default `$XDG_DATA_HOME/agent-queue/queue.db`.
    package var database: String
    /// False runs one job at a time without coalescing, the synchronous fallback; see ``effectiveWorker``. Default true; set by the
    /// environment variable `ENABLE_ASYNC` alone.
    package var enableAsync = true
    /// How a worker process claims and runs jobs, as configured; ``effectiveWorker`` is what applies.
    package var worker = WorkerSettings()
    /// Which replies are kept for identical requests, and for how long.
    package var cache = CacheSettings()
    /// How texts are remembered with their vectors.
    package var memory = MemorySettings()
    /// The HTTP client that all providers share: connections and time limits.
    package var http = HTTPSettings()
    /// When a lane stops calling a provider that keeps failing.
    package var breaker = BreakerSettings()
    /// How long finished jobs stay before `prune` removes them.
    package var retention = RetentionSettings()
    /// What a commit survives. Default `full`.
    package var durability = DurabilityLevel.full
    /// The target of a job that names none. Default `local/smollm2`; `claude-code/sonnet` with `USE_CLAUDE_CODE=true`.
    package var defaultModel = "local/smollm2"
    /// The providers by name: the built-in ones, changed and added to by the file.
    package var providers = Settings.builtInProviders
    /// The names of providers that the embedding program brings itself, which targets may name as well.
    var ownProviders: Set<String> = []
    /// What holds for single targets, by `provider/model`.
    package var models = Settings.builtInModels
    /// How ends are told, by name. Default none.
    package var notifications: [String: NotificationSettings] = [:]
    /// Who models are to be, by name: for steps of pipelines, and for jobs that name a role.
    package var roles: [String: RoleSettings] = [:]
    /// Pipelines with settings, by the names that `agent-queue run` knows them by.
    package var modes: [String: ModeSettings] = [:]
    /// The folder of the user's own pipelines, absolute. Default `pipelines` beside the configuration file, or where there is none, in the
    /// current folder.
    package var pipelines = ""

    /// The configuration file that was read, as it was named; nil if there was none.
    public internal(set) var configPath: String?
    /// Where each value that is not a default came from, by key.
    var origins: [String: SettingsOrigin] = [:]

    /// The built-in defaults around a database.
    package init(database: String) {
        self.database = database
    }
}

extension Settings {
    /// The worker's settings as they apply: with `ENABLE_ASYNC=false` one process, one call at a time, one job a claim, no lingering.
    package var effectiveWorker: WorkerSettings {
        guard !enableAsync else { return worker }
        var worker = worker
        worker.concurrency = 1
        worker.processes = 1
        worker.batchSize = 1
        worker.linger = .zero
        return worker
    }

    /// The provider that a target names; nil if the configuration has none of that name.
    package func provider(of target: TargetName) -> ProviderSettings? {
        providers[target.provider]
    }

    /// What holds for a target; the defaults if the configuration says nothing about it.
    package func model(_ target: TargetName) -> ModelSettings {
        models[target.description] ?? ModelSettings()
    }

    /// What is put before a text that looks for others, for a target that embeds. The E5 models want `query: ` and `passage: `, as their
    /// authors say (Wang et al., "Text Embeddings by Weakly-Supervised Contrastive Pre-training", 2022); others nothing.
    package func queryPrefix(of target: String) -> String { models[target]?.queryPrefix ?? (Self.isE5(target) ? "query: " : "") }

    /// What is put before a text that is remembered, for a target that embeds.
    package func passagePrefix(of target: String) -> String { models[target]?.passagePrefix ?? (Self.isE5(target) ? "passage: " : "") }

    /// Whether a part of the model's name is `e5`.
    private static func isE5(_ target: String) -> Bool {
        let model = target.drop { $0 != "/" }.lowercased()
        return model.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).contains("e5")
    }

    /// How long a memory of a namespace is kept when it does not say itself.
    package func retention(ofNamespace name: String) -> Duration { memory.namespaces[name]?.retention ?? memory.retention }

    /// How long a reply answers for requests to a target, where its job does not say.
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
        // A model as small as this often finds no end of its own.
        var small = ModelSettings()
        small.maxOutputTokens = 512
        return ["anthropic/claude-sonnet-4-5": sonnet, "local/smollm2": small]
    }()
}
