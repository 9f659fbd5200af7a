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
        let results = await ProviderTrial.run(trials, session.settings, environment: session.environment, timeout: timeout ?? .seconds(30))

        let showsWay = results.contains { $0.way != nil }
        var listing = Listing(
            format,
            [
                Column("PROVIDER"), Column("MODEL", leastWidth: 12), Column("STATUS", .text), Column("TOOK", isNumber: true),
                Column("WHY", .text),
            ] + (showsWay ? [Column("NETWORK", .text)] : []))
        for result in results {
            let took = result.milliseconds.map { Figures.duration(milliseconds: $0) } ?? ""
            try listing.add(
                result.json,
                row: [
                    Cell(DisplayText.line(result.provider), .bold), Cell(DisplayText.line(result.model ?? "")),
                    Cell(result.status.rawValue, result.status.tone), Cell(took), Cell(DisplayText.line(result.reason ?? "")),
                ] + (showsWay ? [Cell(DisplayText.line(result.way ?? ""))] : []))
        }
        try listing.finish()
        let failed = results.filter { $0.status == .failed }.map(\.provider)
        guard failed.isEmpty else { throw CommandFailure(.unavailable, "no answer from \(failed.joined(separator: ", "))") }
    }
}
