import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import ArgumentParser

/// `agent-queue memory reembed`
struct MemoryReembedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reembed",
        abstract: "Have a namespace embedded by another model.",
        discussion: """
            Adds the jobs for it; workers carry them out. Searches go on with the vectors that are there until the last new one is made, \
            which `memory stats` shows. The same command goes on after a crash, or with what failed.

              agent-queue memory reembed notes
              agent-queue memory reembed notes --model openai/text-embedding-3-small
            """)

    @Argument(help: "The namespace.", transform: NamespaceOption.parse)
    var namespace: String

    @Option(name: .long, help: ArgumentHelp("What embeds it; memory.embedding_model unless told.", valueName: "provider/model"))
    var model: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withMemories { memories in
            let state = try await memories.reembed(namespace, model: model)
            var output = Output()
            if format.json {
                try output.json(Self.json(state))
            } else if state.isFinished {
                try output.line("namespace \(DisplayText.line(state.namespace)) is searched by \(DisplayText.line(state.model)) now")
            } else {
                let left = Figures.count(state.memories - state.done, "memory", plural: "memories")
                try output.line("\(left) of \(Figures.count(state.memories)) to embed by \(DisplayText.line(state.model))")
                Diagnostics.say(
                    "a running agent-worker does it; to wait for it: agent-queue wait --batch '\(DisplayText.line(state.batch))'")
            }
            try output.flush()
        }
    }

    private static func json(_ state: Reembedding) -> JSONValue {
        .object([
            .init("namespace", .string(state.namespace)), .init("model", .string(state.model)),
            .init("dimension", .integer(Int64(state.dimension))), .init("memories", .integer(Int64(state.memories))),
            .init("done", .integer(Int64(state.done))), .init("enqueued", .integer(Int64(state.enqueued))),
            .init("batch", .string(state.batch)), .init("finished", .bool(state.isFinished)),
        ])
    }
}
