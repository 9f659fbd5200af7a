import ArgumentParser
import JobModel
import Settings

/// `agent-queue providers check`
struct ProvidersCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Ask each provider for one tiny answer.",
        discussion: """
            A real call, which may cost a fraction of a cent. Providers are named, or targets; without names every one is asked that has \
            its key. Ends with 69 if one does not answer.

              agent-queue providers check
              agent-queue providers check local anthropic/claude-sonnet-4-5
            """)

    @Argument(help: ArgumentHelp("Providers, or targets (provider/model).", valueName: "name"))
    var names: [String] = []

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("How long each may take. Default: 30s.", valueName: "duration"),
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
