import ArgumentParser
import JobModel
import Pipelines
import QueueStore

/// `agent-queue run show`
struct RunShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run: its graph with states, times, tokens and cost.",
        discussion: """
              agent-queue run show 3
              agent-queue run show 3 --mermaid >> report.md
              agent-queue run show 3 --json | jq '.steps[] | select(.state == "failed")'
            """)

    @Argument(help: ArgumentHelp("The run's number.", valueName: "id"))
    var id: Int64

    @Flag(name: .long, help: "Show every call and every round, however many there are.")
    var all = false

    @Flag(name: .long, help: "Print the graph as a Mermaid flowchart, for a document.")
    var mermaid = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if mermaid, format.json { throw ValidationError("--mermaid and --json cannot both be given") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let run = try store.runDetail(id) else { throw RunFailure.notFound(id) }
            var output = Output()
            if format.json {
                try output.json(RunJSON.detail(run))
            } else {
                let nodes = try Pipeline(definition: run.snapshot.definition).nodes
                if mermaid {
                    try output.lines(RunMermaid.lines(RunGraph(nodes, run), now: Now.milliseconds))
                } else {
                    try output.lines(RunSheet(run, nodes: nodes, all: all, now: Now.milliseconds).lines)
                }
            }
            try output.flush()
        }
    }
}
