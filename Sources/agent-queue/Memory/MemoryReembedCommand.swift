import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// `agent-queue memory reembed`
struct MemoryReembedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reembed",
        abstract: "Re-embed a namespace with another model.",
        discussion: """
            Adds jobs that workers run. Searches use the old vectors until all new ones are ready; `memory stats` shows the progress. \
            Run the same command again to continue after a crash or to retry failed memories.

              agent-queue memory reembed notes
              agent-queue memory reembed notes --model openai/text-embedding-3-small
            """)

    @Argument(help: "Namespace.", transform: NamespaceOption.parse)
    var namespace: String

    @Option(name: .long, help: ArgumentHelp("Embedding model. Default: `memory.embedding_model`.", valueName: "provider/model"))
    var model: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withMemories { memories in
            let state = try await memories.reembed(namespace, model: model)
            var output = Output()
            if format.json {
                try output.json(MemoryJSON.reembedding(state))
            } else if state.isFinished {
                try output.line("namespace \(DisplayText.line(state.namespace)) now uses \(DisplayText.line(state.model))")
            } else {
                let left = Figures.count(state.memories - state.done, "memory", plural: "memories")
                try output.line("\(left) of \(Figures.count(state.memories)) to embed with \(DisplayText.line(state.model))")
                Diagnostics.say(
                    "workers will embed them; to wait, run agent-queue wait --batch '\(DisplayText.line(state.batch))'")
            }
            try output.flush()
        }
    }
}
