import AgentQueue
import AgentQueueModel
import AgentQueueSettings

/// A test call to a provider.
package struct ProviderTrial: Sendable {
    package let provider: String
    /// Nil for a model from the configuration, or else one that the provider chooses.
    package let model: String?
    /// Whether the provider was named on the command line.
    package let isNamed: Bool

    package init(provider: String, model: String?, isNamed: Bool) {
        self.provider = provider
        self.model = model
        self.isNamed = isNamed
    }

    /// Takes the name of a provider or a target.
    /// - Throws: `InvalidText` if the provider is not configured.
    package init(named name: String, in settings: Settings) throws(InvalidText) {
        let provider = String(name.prefix { $0 != "/" })
        guard settings.providers[provider] != nil else {
            let hint = Suggestion.hint(for: provider, in: settings.providers.keys.sorted())
            throw InvalidText("unknown provider \(InvalidText.quoted(provider))\(hint)")
        }
        self.init(provider: provider, model: Target(name)?.model, isNamed: true)
    }

    /// Calls providers on one host one after another, so that none spends its timeout waiting for another, and different hosts
    /// concurrently. Results are in the order of the trials.
    package static func run(
        _ trials: [ProviderTrial], _ settings: Settings, environment: [String: String], timeout: Duration
    ) async -> [TrialResult] {
        let set = ProviderSet(settings, environment: environment)
        let results = await withTaskGroup(of: [(Int, TrialResult)].self) { group in
            for sharing in Dictionary(grouping: trials.enumerated(), by: { $0.element.host(settings) }).values {
                group.addTask {
                    var results: [(Int, TrialResult)] = []
                    for (index, trial) in sharing {
                        var result = await trial.run(set, settings, timeout: timeout.milliseconds)
                        result.connection = settings.connection(ofProvider: trial.provider, environment: environment)
                        results.append((index, result))
                    }
                    return results
                }
            }
            var results: [(Int, TrialResult)] = []
            for await result in group { results += result }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
        // The command ends after this anyway.
        try? await set.shutdown()
        return results
    }

    private func run(_ set: ProviderSet, _ settings: Settings, timeout: Int64) async -> TrialResult {
        guard let made = set.providers.first(where: { $0.name == provider }) else {
            return TrialResult(self, isNamed ? .failed : .skipped, reason: set.unavailable[provider] ?? "cannot be called")
        }
        let check = await made.checked(model: model ?? configuredModel(settings), timeout: timeout)
        return TrialResult(
            self, check.isAvailable ? .answers : .failed, reason: check.reason, model: check.model.isEmpty ? nil : check.model,
            milliseconds: check.milliseconds)
    }

    /// The host of the base URL; the provider's name if it has none.
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

/// The result of a test call.
package struct TrialResult: Sendable {
    package let provider: String
    package let model: String?
    package let status: Status
    package let reason: String?
    package let milliseconds: Int64?
    /// How the provider is reached.
    fileprivate(set) var connection: ConnectionPlan?

    package enum Status: String, Sendable {
        case answers
        case failed
        /// Not called, because it has no key and was not named.
        case skipped

        package var tone: Tone {
            switch self {
            case .answers: .good
            case .failed: .bad
            case .skipped: .muted
            }
        }
    }

    package init(_ trial: ProviderTrial, _ status: Status, reason: String? = nil, model: String? = nil, milliseconds: Int64? = nil) {
        provider = trial.provider
        self.model = model ?? trial.model
        self.status = status
        self.reason = reason
        self.milliseconds = milliseconds
    }

    /// The proxy and the certificates that it was called with; nil for a direct call with the system's certificates.
    package var way: String? { connection?.sentence }

    package var json: JSONValue {
        .object(
            [
                .init("provider", .string(provider)), .init("model", JobJSON.string(model)), .init("status", .string(status.rawValue)),
                .init("latency_ms", milliseconds.map(JSONValue.integer) ?? .null), .init("reason", JobJSON.string(reason)),
            ] + (connection?.members ?? []))
    }
}
