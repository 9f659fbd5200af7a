import AgentQueue
import ArgumentParser
import JobModel
import Pipelines

/// `agent-queue pipelines show`
struct PipelinesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a pipeline: what it is given, and its steps.",
        discussion: """
              agent-queue pipelines show coding
            """)

    @Argument(help: ArgumentHelp("A pipeline's or a mode's name.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let pipeline = try PipelineCatalog(Session(global).settings).pipeline(named: name)
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("name", .string(name)), .init("pipeline", .string(pipeline.name)),
                    .init("description", .string(pipeline.summary)),
                    .init("inputs", .array(pipeline.inputs.map(Self.json))), .init("graph", .array(pipeline.nodes.map(RunJSON.node))),
                ]))
        } else {
            if !pipeline.summary.isEmpty { try output.lines([DisplayText.line(pipeline.summary), ""]) }
            try output.lines(Self.inputs(pipeline) + PipelineTree.lines(pipeline.nodes))
        }
        try output.flush()
    }

    private static func inputs(_ pipeline: Pipeline) -> [String] {
        guard !pipeline.inputs.isEmpty else { return [] }
        var table = Table([Column("INPUT"), Column("TYPE"), Column("DEFAULT", leastWidth: 10), Column("DESCRIPTION", leastWidth: 16)])
        for input in pipeline.inputs {
            let fallback = input.fallback.map { DisplayText.line(JSONText.text($0), limit: 60) }
            table.add([
                Cell(DisplayText.line(input.name)), Cell(input.type.rawValue), fallback.map { Cell($0) } ?? Cell("must be given", .warning),
                Cell(DisplayText.line(input.summary)),
            ])
        }
        return table.takeLines() + [""]
    }

    private static func json(_ input: PipelineInput) -> JSONValue {
        .object([
            .init("name", .string(input.name)), .init("type", .string(input.type.rawValue)),
            .init("required", .bool(input.fallback == nil)), .init("default", input.fallback ?? .null),
            .init("description", .string(input.summary)),
        ])
    }
}
