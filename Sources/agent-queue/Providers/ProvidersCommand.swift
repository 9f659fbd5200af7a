import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue providers`
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List, check and resume providers.",
        discussion: """
              agent-queue providers check local
              agent-queue providers resume openai
            """,
        subcommands: [ProvidersListCommand.self, ProvidersCheckCommand.self, ProvidersResumeCommand.self, ProvidersBatchesCommand.self])
}

/// `agent-queue providers list`
struct ProvidersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List configured providers and their status.",
        discussion: """
            Shows whether each provider can be called, its remaining limits, circuit breaker and pause, today's cost (UTC) and its last \
            error, across all processes. Makes no calls; `providers check` does.

              agent-queue providers list
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let states = try await session.withExistingStore { store in try store?.providers.states() ?? [] }
        let providers = await ProviderOverview.all(session.settings, environment: session.environment, states: states)
        var output = Output()
        if format.json {
            for provider in providers { try output.json(ProviderJSON.provider(provider)) }
        } else {
            try output.lines(Self.lines(providers, session.settings, now: Now.milliseconds))
        }
        try output.flush()
    }

    private static func lines(_ providers: [ProviderOverview], _ settings: Settings, now: Int64) -> [String] {
        var table = Table([
            Column("NAME"), Column("KIND"), Column("WHERE", .text), Column("STATUS", .text, leastWidth: 12), Column("LIMITS", .text),
            Column("TODAY", .fixed),
            Column("LAST ERROR", .text),
        ])
        for provider in providers {
            let limits = provider.settings.effectiveLimits
            table.add([
                Cell(DisplayText.line(provider.name), .bold), Cell(provider.settings.kind.rawValue),
                Cell(DisplayText.line(provider.address ?? provider.settings.command ?? "")),
                Cell(ProviderStatus(unavailable: provider.unavailable, provider.state, now: now)),
                Cell(ProviderStatus.limits(provider.state, limits)), Cell(ProviderStatus.spending(provider.state, limits)),
                Cell(ProviderStatus.lastError(provider.state, now: now)),
            ])
            for target in provider.targets {
                let limits = settings.models[target.name]?.limits
                table.add([
                    Cell(DisplayText.line("  \(target.name)")), "", "", Cell(ProviderStatus(unavailable: nil, target, now: now)),
                    Cell(ProviderStatus.limits(target, limits)), Cell(ProviderStatus.spending(target, limits)),
                    Cell(ProviderStatus.lastError(target, now: now)),
                ])
            }
        }
        return table.takeLines()
    }
}

extension ProviderSettings {
    /// Its limits, with the lower of the two limits on concurrent calls.
    fileprivate var effectiveLimits: CallLimitSettings {
        var limits = limits
        limits.concurrency = maxConcurrency
        return limits
    }
}

/// `agent-queue providers resume`
struct ProvidersResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume a paused provider.",
        discussion: """
            Ends the pause of the provider and its models, and closes their circuit breakers. Use it after fixing the key, the account \
            or the server.

              agent-queue providers resume openai
            """)

    @Argument(help: ArgumentHelp("Provider name.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let isKnown = try await store.providers.resume(provider: name)
            // A configured provider that was never called has nothing to resume.
            if !isKnown, session.settings.providers[name] == nil {
                let hint = Suggestion.hint(for: name, in: session.settings.providers.keys.sorted())
                throw CommandFailure(.usage, "unknown provider \(InvalidText.quoted(name))\(hint)")
            }
            var output = Output()
            if format.json {
                try output.json(.object([.init("provider", .string(name)), .init("resumed", .bool(isKnown))]))
            } else {
                let sentence = isKnown ? "resumed" : "was not paused"
                try output.line("provider \(DisplayText.line(name)) \(sentence)")
            }
            try output.flush()
        }
    }
}
