import ArgumentParser
import JobModel
import Settings

/// `agent-queue config show`
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print every value and where it came from.",
        discussion: """
            Command line beats environment beats file beats default. Secrets are masked.

              agent-queue config show --config agent-queue.yaml
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let session = try Session(global)
        var output = Output()
        var table = Table([Column("KEY"), Column("VALUE"), Column("FROM")])
        for entry in session.settings.entries {
            if format.json {
                try output.json(
                    .object([
                        .init("key", .string(entry.key)), .init("value", .string(entry.value)),
                        .init("from", .string(entry.origin.description)),
                    ]))
            } else {
                let origin = Cell(DisplayText.line(entry.origin.description), entry.origin == .builtIn ? .dim : nil)
                table.add([Cell(DisplayText.line(entry.key)), Cell(DisplayText.line(entry.value)), origin])
            }
        }
        if !format.json { try output.lines(table.takeLines()) }
        try output.flush()
    }
}
