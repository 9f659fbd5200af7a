import AgentQueue
import JobModel
import ModelCalls
import Settings

/// One provider to try, with one tiny call.
struct ProviderTrial: Sendable {
    let provider: String
    /// Nil asks a model that the configuration names for it, or else lets the provider choose.
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

    /// Tries those on one host one after another, so that none waits for another's answer within its own time, and different hosts at
    /// once; the results are in the order of the trials.
    static func run(_ trials: [ProviderTrial], session: Session, timeout: Duration) async -> [TrialResult] {
        let set = ProviderSet(session.settings, environment: session.environment)
        let results = await withTaskGroup(of: [(Int, TrialResult)].self) { group in
            for sharing in Dictionary(grouping: trials.enumerated(), by: { $0.element.host(session.settings) }).values {
                group.addTask {
                    var results: [(Int, TrialResult)] = []
                    for (index, trial) in sharing {
                        results.append((index, await trial.run(set, session.settings, timeout: timeout.milliseconds)))
                    }
                    return results
                }
            }
            var results: [(Int, TrialResult)] = []
            for await result in group { results += result }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
        // The process ends after this anyway.
        try? await set.shutdown()
        return results
    }

    private func run(_ set: ProviderSet, _ settings: Settings, timeout: Int64) async -> TrialResult {
        guard let made = set.providers.first(where: { $0.name == provider }) else {
            return TrialResult(self, isNamed ? .failed : .skipped, reason: set.unavailable[provider] ?? "cannot be asked")
        }
        let check = await made.check(model: model ?? configuredModel(settings), timeout: timeout)
        return TrialResult(
            self, check.isAvailable ? .answers : .failed, reason: check.reason, model: check.model.isEmpty ? nil : check.model,
            milliseconds: check.milliseconds)
    }

    /// The host of its base URL, as written; of one without, the provider itself.
    private func host(_ settings: Settings) -> String {
        guard let address = settings.providers[provider]?.baseURL, let start = address.firstRange(of: "://")?.upperBound else {
            return provider
        }
        let authority = address[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority[(authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex)...]
        let bare = host.hasPrefix("[") ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" }
        return "//\(bare.lowercased())"
    }

    private func configuredModel(_ settings: Settings) -> String? {
        let targets = [settings.defaultModel, settings.memory.embeddingModel] + settings.models.keys.sorted()
        return targets.compactMap { Target($0) }.first { $0.provider == provider }?.model
    }
}
