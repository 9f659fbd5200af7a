import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// `agent-queue providers check`
struct ProvidersCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Make a test call to each provider.",
        discussion: """
            Each call is real and may cost a fraction of a cent. Give provider names or models; by default, checks every provider that \
            has an API key. Exits with 69 if a provider does not answer.

              agent-queue providers check
              agent-queue providers check local anthropic/claude-sonnet-4-5
            """)

    @Argument(help: ArgumentHelp("Providers or models (provider/model).", valueName: "name"))
    var names: [String] = []

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("Timeout of each call. Default: 30s.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let trials =
            try names.isEmpty
            ? session.settings.providers.keys.sorted().map { ProviderTrial(provider: $0, model: nil, isNamed: false) }
            : names.map { try ProviderTrial(named: $0, in: session.settings) }
        let results = await ProviderTrial.run(trials, session: session, timeout: timeout ?? .seconds(30))

        var output = Output()
        var table = Table([
            Column("PROVIDER"), Column("MODEL", leastWidth: 12), Column("STATUS"), Column("TOOK", isNumber: true), Column("WHY"),
        ])
        for result in results {
            if format.json {
                try output.json(result.json)
            } else {
                let took = result.milliseconds.map { Figures.duration(milliseconds: $0) } ?? ""
                table.add([
                    Cell(DisplayText.line(result.provider), .bold), Cell(DisplayText.line(result.model ?? "")),
                    Cell(result.status.rawValue, result.status.style), Cell(took), Cell(DisplayText.line(result.reason ?? "")),
                ])
            }
        }
        if !format.json { try output.lines(table.takeLines()) }
        try output.flush()
        let failed = results.filter { $0.status == .failed }.map(\.provider)
        guard failed.isEmpty else { throw CommandFailure(.unavailable, "no answer from \(failed.joined(separator: ", "))") }
    }
}

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
            return TrialResult(self, isNamed ? .failed : .skipped, reason: set.unavailable[provider] ?? "cannot be called")
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

/// What trying a provider came to.
struct TrialResult: Sendable {
    let provider: String
    let model: String?
    let status: Status
    let reason: String?
    let milliseconds: Int64?

    /// In one word.
    enum Status: String {
        case answers
        case failed
        /// Not asked: it has no key, and nobody named it.
        case skipped

        var style: Style {
            switch self {
            case .answers: .good
            case .failed: .bad
            case .skipped: .dim
            }
        }
    }

    init(_ trial: ProviderTrial, _ status: Status, reason: String? = nil, model: String? = nil, milliseconds: Int64? = nil) {
        provider = trial.provider
        self.model = model ?? trial.model
        self.status = status
        self.reason = reason
        self.milliseconds = milliseconds
    }

    var json: JSONValue {
        .object([
            .init("provider", .string(provider)), .init("model", JobJSON.string(model)), .init("status", .string(status.rawValue)),
            .init("latency_ms", milliseconds.map(JSONValue.integer) ?? .null), .init("reason", JobJSON.string(reason)),
        ])
    }
}
