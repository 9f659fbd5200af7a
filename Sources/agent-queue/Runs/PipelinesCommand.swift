import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports
import ArgumentParser

/// `agent-queue pipelines`
struct PipelinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipelines",
        abstract: "List, show and check pipelines.",
        subcommands: [PipelinesListCommand.self, PipelinesShowCommand.self, PipelinesCheckCommand.self],
        defaultSubcommand: PipelinesListCommand.self)
}

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
        var listing = Listing(
            format,
            [
                Column("NAME", leastWidth: 10), Column("KIND", leastWidth: 10), Column("FROM", leastWidth: 10),
                Column("DESCRIPTION", .text),
            ])
        for entry in entries {
            let fault = entry.fault.map { Cell(DisplayText.line("invalid: \($0.description)"), .bad) }
            try listing.add(
                PipelineJSON.entry(entry),
                row: [
                    Cell(DisplayText.line(entry.name)), Cell(DisplayText.line(entry.pipeline.map { "mode of \($0)" } ?? "pipeline")),
                    Cell(DisplayText.line("\(entry.source)")), fault ?? Cell(DisplayText.line(entry.summary)),
                ])
        }
        try listing.finish()
    }
}

/// `agent-queue pipelines show`
struct PipelinesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the inputs and steps of a pipeline.",
        discussion: """
              agent-queue pipelines show coding
            """)

    @Argument(help: ArgumentHelp("Pipeline or mode.", valueName: "name"))
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
                    .init("inputs", .array(pipeline.inputs.map(PipelineJSON.input))),
                    .init("graph", .array(pipeline.nodes.map(PipelineJSON.node))),
                ]))
        } else {
            if !pipeline.summary.isEmpty { try output.lines([DisplayText.line(pipeline.summary), ""]) }
            try output.lines(Self.inputs(pipeline) + PipelineTree.lines(pipeline.nodes))
        }
        try output.flush()
    }

    private static func inputs(_ pipeline: Pipeline) -> [String] {
        guard !pipeline.inputs.isEmpty else { return [] }
        var table = Table([
            Column("INPUT"), Column("TYPE", .fixed), Column("DEFAULT", .text, leastWidth: 10), Column("DESCRIPTION", .text, leastWidth: 16),
        ])
        for input in pipeline.inputs {
            let fallback = input.fallback.map { DisplayText.line(JSONText.text($0), limit: 60) }
            table.add([
                Cell(DisplayText.line(input.name)), Cell(input.type.rawValue), fallback.map { Cell($0) } ?? Cell("required", .warning),
                Cell(DisplayText.line(input.summary)),
            ])
        }
        return table.takeLines() + [""]
    }
}

/// `agent-queue pipelines check`
struct PipelinesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate pipelines.",
        discussion: """
            By default, checks your pipelines, the built-in ones, and the modes in the configuration. Exits with 78 if there are errors.

              agent-queue pipelines check
              agent-queue pipelines check review.yaml --json
            """)

    @Argument(help: ArgumentHelp("Pipeline files.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var files: [String] = []

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let catalog = PipelineCatalog(try Session(global).settings)
        let faults = try files.isEmpty ? catalog.faults() : files.flatMap(catalog.faults(ofFile:))
        var output = Output()
        for fault in faults {
            try format.json ? output.json(PipelineJSON.fault(fault)) : output.line(DisplayText.line(fault.description))
        }
        if faults.isEmpty, !format.json { try output.line("no errors found") }
        try output.flush()
        if !faults.isEmpty { throw ExitCode(ExitStatus.badConfiguration.rawValue) }
    }
}

/// A pipeline's steps as an indented list.
enum PipelineTree {
    static func lines(_ nodes: [StepNode]) -> [String] {
        var table = Table([Column("STEP", .text, leastWidth: 16), Column("ROLE"), Column("NEEDS", .text), Column("MODE", .text)])
        add(nodes, indent: "", to: &table)
        return table.takeLines()
    }

    private static func add(_ nodes: [StepNode], indent: String, to table: inout Table) {
        for node in nodes {
            let manner = [node.manner, node.condition.map { "when \($0)" }].compactMap(\.self).joined(separator: ", ")
            table.add([
                Cell(indent + DisplayText.line(node.name)), Cell(DisplayText.line(node.role ?? "")),
                Cell(DisplayText.line(node.needs.joined(separator: ", "))), Cell(DisplayText.line(manner)),
            ])
            add(node.children, indent: indent + "  ", to: &table)
        }
    }
}
