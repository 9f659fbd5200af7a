import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue run show`
struct RunShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the steps of a run, with state, time, tokens and cost.",
        discussion: """
              agent-queue run show 3
              agent-queue run show 3 --mermaid >> report.md
              agent-queue run show 3 --json | jq '.steps[] | select(.state == "failed")'
            """)

    @Argument(help: ArgumentHelp("Run ID.", valueName: "id"))
    var id: Int64

    @Flag(name: .long, help: "Show all calls and rounds.")
    var all = false

    @Flag(name: .long, help: "Print the graph as a Mermaid flowchart.")
    var mermaid = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if mermaid, format.json { throw ValidationError("--mermaid cannot be combined with --json") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let run = try store.runs.detail(id) else { throw RunFailure.notFound(id) }
            let waits = try await RunWaits.reasons(of: run, in: store, session)
            var output = Output()
            if format.json {
                try output.json(RunJSON.detail(run, waits: waits))
            } else {
                let nodes = try Pipeline(definition: run.snapshot.definition).nodes
                if mermaid {
                    try output.lines(RunMermaid.lines(RunGraph(nodes, run), now: Now.milliseconds))
                } else {
                    try output.lines(RunDetailView(run, nodes: nodes, all: all, waits: waits, now: Now.milliseconds).lines)
                }
            }
            try output.flush()
        }
    }
}

/// `agent-queue run output`
struct RunOutputCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "output",
        abstract: "Print the output of a run or of one of its steps.",
        discussion: """
            Prints text as it is and other values as JSON. The output of a step with foreach is a list, that of an ensemble the answer that \
            was chosen, and that of a group an object by step name, from the round that counts. `run show --json` lists the paths of the calls.

              agent-queue run output 3
              agent-queue run output 3 --step plan
              agent-queue run output 3 --step code
              agent-queue run output 3 --step 'code[0]'
              agent-queue run output 3 --step refine/2
            """)

    @Argument(help: ArgumentHelp("Run ID.", valueName: "id"))
    var id: Int64

    @Option(
        name: .long,
        help: ArgumentHelp("Path of a step, a call or a round: plan, code, code[0], refine, refine/2/review.", valueName: "path"))
    var step: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let value = try step.map { try answer(of: $0, in: store, session.settings) } ?? whole(in: store)
            try format.print(value, lines: RunOutput.lines(value))
        }
    }

    private func whole(in store: QueueStore) throws -> JSONValue {
        guard let run = try store.runs.detail(id) else { throw RunFailure.notFound(id) }
        if let output = run.output { return output }
        if run.summary.state.isFinal { try RunFailure.check(run.summary) }
        throw CommandFailure(.badInput, "run \(id) is running and has no output yet; run 'agent-queue run wait \(id)' to wait for it")
    }

    private func answer(of path: String, in store: QueueStore, _ settings: Settings) throws -> JSONValue {
        if let text = try store.runs.stepOutputs(of: id, [path])[path] { return .string(text) }
        guard let run = try store.runs.detail(id) else { throw RunFailure.notFound(id) }
        guard let call = run.calls.first(where: { $0.record.path == path }) else {
            let output = try PipelinePlanner(store: store, settings: settings).output(of: path, in: run.snapshot)
            if let output { return output }
            let step = "step \(InvalidText.quoted(path)) of run \(id)"
            guard run.summary.state.isFinal else { throw CommandFailure(.badInput, "\(step) has no output yet") }
            throw CommandFailure(.jobFailed, "\(step) has no output: the run is \(run.summary.state.rawValue)")
        }
        guard call.record.state == .failed else {
            throw CommandFailure(.badInput, "call \(InvalidText.quoted(path)) of run \(id) has no answer yet")
        }
        let reason = call.failure.map { ": \($0)" } ?? ""
        throw CommandFailure(.jobFailed, "call \(InvalidText.quoted(path)) of run \(id) has failed\(reason)")
    }
}

/// The output of a run or step.
enum RunOutput {
    /// Text escaped for a terminal; everything else as JSON.
    static func lines(_ value: JSONValue) -> [String] {
        value.string.map { [DisplayText.lines($0)] } ?? [JSONText.text(value)]
    }
}
