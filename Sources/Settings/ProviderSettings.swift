/// `providers.<name>:` — one provider of models.
public struct ProviderSettings: Equatable, Sendable {
    /// Which wire format it speaks. Required for a provider that is not built in.
    public var kind: ProviderKind
    /// Where its API is, `http` or `https`, without a slash at the end. Required for kind `openai`; `https://api.anthropic.com` for kind
    /// `anthropic`; nil for `claude-code`.
    public var baseURL: String?
    /// The environment variable that holds the key. Looked at before `apiKeyFile`.
    public var apiKeyEnv: String?
    /// The absolute path of a file (mode 0600) that holds the key.
    public var apiKeyFile: String?
    /// The program to run, kind `claude-code` only: a name to look up in PATH, or a path. Default `claude`.
    public var command: String?
    /// Most calls in flight to it from all processes, 1 to 1024; nil is no limit. See ``maxConcurrency``.
    public var concurrency: Int?
    /// What one embeddings call may hold.
    public var embeddings = EmbeddingSettings()
    /// How the provider's batch API is used.
    public var batch = BatchSettings()
    /// What the provider allows.
    public var limits = CallLimitSettings()
    /// Which API an `openai` provider is asked through. Default automatic.
    public var api: OpenAIAPIMode?
    /// The `anthropic-version` header of an `anthropic` provider; nil is 2023-06-01, which takes sampling parameters.
    public var apiVersion: String?
    /// What an `anthropic` provider is asked to keep of requests that say nothing themselves. Default off.
    public var promptCache: PromptCacheMode?
    /// Whether a `claude-code` provider keeps processes running between jobs. Default true.
    public var warm: Bool?

    /// A provider of `kind`, with that kind's defaults.
    public init(kind: ProviderKind) {
        self.kind = kind
        switch kind {
        case .openai: break
        case .anthropic: baseURL = "https://api.anthropic.com"
        case .claudeCode: command = "claude"
        }
    }

    /// The tighter of `concurrency` and `limits.concurrency`; nil is no limit.
    public var maxConcurrency: Int? {
        [concurrency, limits.concurrency].compactMap(\.self).min()
    }
}
