import AgentQueue
import ArgumentParser
import JobModel
import Pipelines

/// `agent-queue pipelines list`
struct PipelinesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List pipelines and modes.",
        discussion: """
              agent-queue pipelines
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let entries = try PipelineCatalog(Session(global).settings).entries()
        var output = Output()
        var table = Table([
            Column("NAME", leastWidth: 10), Column("KIND", leastWidth: 10), Column("FROM", leastWidth: 10), Column("DESCRIPTION"),
        ])
        for entry in entries {
            if format.json {
                try output.json(Self.json(entry))
            } else {
                let fault = entry.fault.map { Cell(DisplayText.line("cannot be used: \($0.description)"), .bad) }
                table.add([
                    Cell(DisplayText.line(entry.name)), Cell(DisplayText.line(entry.pipeline.map { "mode of \($0)" } ?? "pipeline")),
                    Cell(DisplayText.line("\(entry.source)")), fault ?? Cell(DisplayText.line(entry.summary)),
                ])
            }
        }
        if !format.json { try output.lines(table.takeLines()) }
        try output.flush()
    }

    private static func json(_ entry: CatalogEntry) -> JSONValue {
        .object([
            .init("name", .string(entry.name)), .init("mode_of", JobJSON.string(entry.pipeline)),
            .init("from", .string("\(entry.source)")), .init("description", .string(entry.summary)),
            .init("error", JobJSON.string(entry.fault?.description)),
        ])
    }
}
