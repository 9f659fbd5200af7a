import AgentQueue
import JobModel
import ModelCalls
import ModelProviders
import Settings

/// One provider to try, with one tiny call.
struct ProviderTrial: Sendable {
    let provider: String
    /// Nil asks a model that the configuration names for it, or else the first that the server lists.
    let model: String?
    /// Whether a person asked for just this one.
    let isNamed: Bool

    init(provider: String, model: String?, isNamed: Bool) {
        self.provider = provider
        self.model = model
        self.isNamed = isNamed
    }

    /// Reads a provider's name or a target.
    ///
    /// - Throws: `CommandFailure` for a provider that is not configured.
    init(named name: String, in settings: Settings) throws {
        let provider = String(name.prefix { $0 != "/" })
        guard settings.providers[provider] != nil else {
            let hint = Suggestion.hint(for: provider, in: settings.providers.keys.sorted())
            throw CommandFailure(.usage, "unknown provider \(InvalidText.quoted(provider))\(hint)")
        }
        self.init(provider: provider, model: Target(name)?.model, isNamed: true)
    }

    /// Tries all at once; the results are in the order of the trials.
    static func run(_ trials: [ProviderTrial], session: Session, timeout: Duration) async -> [TrialResult] {
        let http = session.settings.http
        let transport = HTTPTransport(
            HTTPTransport.Configuration(
                poolSize: http.connectionPoolSize, connectTimeout: min(http.connectTimeout, timeout).milliseconds,
                maxRetries: http.maxRetries))
        let results = await withTaskGroup(of: (Int, TrialResult).self) { group in
            for (index, trial) in trials.enumerated() {
                group.addTask { (index, await trial.run(session, transport, timeout: timeout.milliseconds)) }
            }
            var results: [(Int, TrialResult)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
        // The process ends after this anyway.
        try? await transport.shutdown()
        return results
    }

    private func run(_ session: Session, _ transport: HTTPTransport, timeout: Int64) async -> TrialResult {
        guard let settings = session.settings.providers[provider] else { return TrialResult(self, .failed, reason: "not configured") }
        let secret: Secret?
        switch settings.resolveAPIKey(environment: session.environment) {
        case .notNeeded: secret = nil
        case .found(let key): secret = key
        case .missing(let reason): return TrialResult(self, isNamed ? .failed : .skipped, reason: reason)
        }
        guard settings.kind == .openai, let baseURL = settings.baseURL else {
            return TrialResult(self, isNamed ? .failed : .skipped, reason: "kind \(settings.kind.rawValue) comes with a later version")
        }
        let provider = OpenAIProvider(
            name: provider, baseURL: baseURL, apiKey: secret?.reveal(), maxEmbedInputs: settings.embeddings.maxInputs ?? 2_048,
            transport: transport)
        guard let model = model ?? configuredModel(session.settings) else { return await askListedModel(provider, timeout: timeout) }
        return result(await provider.check(model: model, timeout: timeout))
    }

    /// Nothing names a model: the server's own list does.
    private func askListedModel(_ provider: OpenAIProvider, timeout: Int64) async -> TrialResult {
        switch await provider.models(timeout: timeout) {
        case .failure(let failure): return TrialResult(self, .failed, reason: failure.message)
        case .success(let models):
            guard let model = models.first else {
                return TrialResult(self, .failed, reason: "it lists no models; name one, as \(self.provider)/model")
            }
            return result(await provider.check(model: model, timeout: timeout))
        }
    }

    private func result(_ check: ProviderCheck) -> TrialResult {
        TrialResult(
            self, check.isAvailable ? .answers : .failed, reason: check.reason, model: check.model, milliseconds: check.milliseconds)
    }

    private func configuredModel(_ settings: Settings) -> String? {
        let targets = [settings.defaultModel, settings.memory.embeddingModel] + settings.models.keys.sorted()
        return targets.compactMap { Target($0) }.first { $0.provider == provider }?.model
    }
}
