import AgentQueue
import ArgumentParser
import JobModel
import Pipelines

/// `agent-queue pipelines check`
struct PipelinesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with pipelines.",
        discussion: """
            Without files: your own pipelines, the shipped ones, and the modes of the configuration. Ends with 78 where anything is wrong.

              agent-queue pipelines check
              agent-queue pipelines check review.yaml --json
            """)

    @Argument(help: ArgumentHelp("Files to check.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var files: [String] = []

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let catalog = PipelineCatalog(try Session(global).settings)
        let faults = try files.isEmpty ? catalog.faults() : files.flatMap(catalog.faults(ofFile:))
        var output = Output()
        for fault in faults {
            try format.json ? output.json(Self.json(fault)) : output.line(DisplayText.line(fault.description))
        }
        if faults.isEmpty, !format.json { try output.line("nothing is wrong") }
        try output.flush()
        if !faults.isEmpty { throw ExitCode(ExitStatus.badConfiguration.rawValue) }
    }

    private static func json(_ fault: PipelineError) -> JSONValue {
        .object([
            .init("file", JobJSON.string(fault.path)), .init("line", fault.line.map { .integer(Int64($0)) } ?? .null),
            .init("key", JobJSON.string(fault.key)), .init("message", .string(fault.message)),
        ])
    }
}
