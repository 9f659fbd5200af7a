import ArgumentParser
import JobModel
import Settings

/// `agent-queue providers list`
struct ProvidersListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the configured providers.",
        discussion: """
              agent-queue providers list
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let session = try Session(global)
        var output = Output()
        var table = Table([Column("NAME"), Column("KIND"), Column("WHERE"), Column("KEY")])
        // Addresses as `config show` prints them: a password in one is masked.
        let addresses = Dictionary(uniqueKeysWithValues: session.settings.entries.map { ($0.key, $0.value) })
        for (name, provider) in session.settings.providers.sorted(by: { $0.key < $1.key }) {
            let key = provider.resolveAPIKey(environment: session.environment)
            let address = addresses["providers.\(name).base_url"]
            if format.json {
                try output.json(
                    .object([
                        .init("name", .string(name)), .init("kind", .string(provider.kind.rawValue)),
                        .init("base_url", JobJSON.string(address)), .init("command", JobJSON.string(provider.command)),
                        .init("key", .string(Self.word(key))),
                    ]))
            } else {
                table.add([
                    Cell(DisplayText.line(name), .bold), Cell(provider.kind.rawValue),
                    Cell(DisplayText.line(address ?? provider.command ?? "")), Self.cell(key),
                ])
            }
        }
        if !format.json { try output.lines(table.takeLines()) }
        try output.flush()
    }

    private static func word(_ key: APIKey) -> String {
        switch key {
        case .notNeeded: "not_needed"
        case .found: "found"
        case .missing: "missing"
        }
    }

    private static func cell(_ key: APIKey) -> Cell {
        switch key {
        case .notNeeded: Cell("not needed", .dim)
        case .found: Cell("found", .good)
        case .missing(let reason): Cell(DisplayText.line(reason), .warning)
        }
    }
}
