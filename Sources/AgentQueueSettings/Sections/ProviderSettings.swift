import AgentQueueModel

/// `providers.<name>:` — one provider of models.
package struct ProviderSettings: Equatable, Sendable {
    /// The wire format. Required for a provider that is not built in.
    package var kind: ProviderKind
    /// The address of its API, `http` or `https`, without a trailing slash. Required for kind `openai`; `https://api.anthropic.com` for
    /// kind `anthropic`; nil for `claude-code`.
    package var baseURL: String?
    /// The environment variable that holds the key. It takes precedence over `apiKeyFile`.
    package var apiKeyEnv: String?
    /// The absolute path of a file (mode 0600) that holds the key.
    package var apiKeyFile: String?
    /// The program to run, for kind `claude-code` only: a name to look up in PATH, or a path. Default `claude`.
    package var command: String?
    /// Maximum calls in flight to it from all processes, 1 to 1024; nil means no limit. See ``maxConcurrency``.
    package var concurrency: Int?
    /// How long a streamed answer may take to begin, 100 ms to 24 h; nil uses `http.first_byte_timeout`. Not for kind `claude-code`.
    package var firstByteTimeout: Duration?
    /// How long a streamed answer may be silent, 100 ms to 24 h; nil uses `http.idle_timeout`. Not for kind `claude-code`.
    package var idleTimeout: Duration?
    /// The capacity of one embeddings call.
    package var embeddings = EmbeddingSettings()
    package var batch = BatchSettings()
    package var limits = CallLimitSettings()
    /// The API used with an `openai` provider. Default automatic.
    package var api: OpenAIAPI?
    /// The `anthropic-version` header for an `anthropic` provider; nil sends 2023-06-01, which accepts sampling parameters.
    package var apiVersion: String?
    /// What an `anthropic` provider is asked to cache for requests that do not say so themselves. Default off.
    package var promptCache: PromptCache?
    /// Whether a `claude-code` provider keeps processes running between jobs. Default true.
    package var warm: Bool?
    /// Proxies and certificates; those of `http` where it says nothing.
    package var connection = ConnectionSettings()

    /// A provider of this kind with the kind's defaults.
    package init(kind: ProviderKind) {
        self.kind = kind
        switch kind {
        case .openai: break
        case .anthropic: baseURL = "https://api.anthropic.com"
        case .claudeCode: command = "claude"
        }
    }

    /// The lower of `concurrency` and `limits.concurrency`; nil means no limit.
    package var maxConcurrency: Int? {
        [concurrency, limits.concurrency].compactMap(\.self).min()
    }
}

/// Every key below `providers.<name>`.
extension ProviderSettings {
    static let keys = SettingTable<ProviderSettings>([
        Setting("kind", \.kind, .choice()),
        Setting("base_url", \.baseURL, .optional(.baseURL)),
        Setting("api_key_env", \.apiKeyEnv, .optional(.environmentName)),
        Setting("api_key_file", \.apiKeyFile, .optional(.path)),
        Setting("command", \.command, .optional(.program)),
        Setting("api", \.api, .optional(.choice())),
        Setting("api_version", \.apiVersion, .optional(.date)),
        Setting("prompt_cache", \.promptCache, .optional(.choice())),
        Setting("warm", \.warm, .optional(.flag)),
        Setting("proxy", \.connection.proxy, .optional(.proxy)),
        Setting("ca_file", \.connection.caFile, .optional(.path)),
        Setting("client_certificate", \.connection.clientCertificate, .optional(.path)),
        Setting("client_key", \.connection.clientKey, .optional(.path)),
        Setting("concurrency", \.concurrency, .optional(.integer(1...1024))),
        Setting("first_byte_timeout", \.firstByteTimeout, .optional(.duration(.milliseconds(100) ... .hours(24)))),
        Setting("idle_timeout", \.idleTimeout, .optional(.duration(.milliseconds(100) ... .hours(24)))),
        Setting("embeddings.max_inputs", \.embeddings.maxInputs, .optional(.integer(1...10_000))),
        Setting("embeddings.max_tokens", \.embeddings.maxTokens, .optional(.integer(1...10_000_000))),
        Setting("embeddings.max_bytes", \.embeddings.maxBytes, .optional(.bytes((1 << 10)...(1 << 30)))),
        Setting("batch.linger", \.batch.linger, .optional(.duration(.zero ... .hours(1)))),
        Setting("batch.poll", \.batch.poll, .optional(.duration(.seconds(1) ... .hours(1)))),
        Setting("limits.rpm", \.limits.rpm, .optional(.integer(1...10_000_000))),
        Setting("limits.tpm", \.limits.tpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.itpm", \.limits.itpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.otpm", \.limits.otpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.concurrency", \.limits.concurrency, .optional(.integer(1...1024))),
        Setting("limits.usd_per_day", \.limits.usdPerDay, .optional(.number(0...1_000_000))),
    ])
}

/// `kind:` — the wire format of a provider.
package enum ProviderKind: String, CaseIterable, Sendable {
    /// OpenAI's API, or any compatible server (llama.cpp, Ollama, vLLM, LM Studio).
    case openai
    /// Anthropic's API.
    case anthropic
    /// The `claude` program as a child process.
    case claudeCode = "claude-code"
}

/// `providers.<name>.embeddings:` — the capacity of one embeddings call.
package struct EmbeddingSettings: Equatable, Sendable {
    /// Maximum texts in one call, 1 to 10000; nil uses the provider kind's own limit.
    package var maxInputs: Int?
    /// Maximum tokens of all texts in one call, 1 to 10 million; nil uses the provider kind's own limit.
    package var maxTokens: Int?
    /// Maximum bytes of all texts in one call, 1 KiB to 1 GiB; nil uses the provider kind's own limit.
    package var maxBytes: Int64?

    package init() {}
}

/// `providers.<name>.batch:` — the provider's batch API, for jobs that use it.
package struct BatchSettings: Equatable, Sendable {
    /// How long a batch collects jobs before it is sent; 0 sends what is there. 0 to 1 h; nil uses ``usual``.
    package var linger: Duration?
    /// How often the provider is asked for a batch's status. 1 s to 1 h; nil uses ``usual``.
    package var poll: Duration?

    /// The default of both: 60 s.
    package static let usual = Duration.seconds(60)

    package init() {}
}

/// `limits:` of a provider or a model, shared by all processes through the database. Nil means no limit.
package struct CallLimitSettings: Equatable, Sendable {
    /// Requests per minute, 1 to 10 million.
    package var rpm: Int?
    /// Input and output tokens per minute, 1 to 1 billion.
    package var tpm: Int?
    /// Input tokens per minute, 1 to 1 billion.
    package var itpm: Int?
    /// Output tokens per minute, 1 to 1 billion.
    package var otpm: Int?
    /// Calls in flight, 1 to 1024.
    package var concurrency: Int?
    /// US dollars per day (UTC), 0 to 1 million; 0 allows only calls that cost nothing.
    package var usdPerDay: Double?

    package init() {}

    package var isEmpty: Bool { self == CallLimitSettings() }
}
