import AgentQueue
import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue memory stats`
struct MemoryStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show the namespaces: how many memories, how large, of which model.",
        discussion: """
            SIZE counts texts, data and vectors. Memories that have expired count until `prune` removes them. BECOMES is the model by \
            which a namespace is being embedded again, and how many memories have its vectors already.

              agent-queue memory stats
            """)

    @Option(name: .long, help: ArgumentHelp("This namespace alone.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withMemories { memories in
            var output = Output()
            var table = Table([
                Column("NAMESPACE"), Column("MEMORIES", isNumber: true), Column("SIZE", isNumber: true), Column("MODEL", leastWidth: 12),
                Column("DIMENSION", isNumber: true), Column("BECOMES", leastWidth: 12),
            ])
            for namespace in try memories.namespaces(named: namespace) {
                let done = try namespace.building.map { try memories.progress(of: $0) }
                if format.json {
                    try output.json(Self.json(namespace, done: done))
                } else {
                    table.add([
                        Cell(DisplayText.line(namespace.name)), Cell(Figures.count(namespace.memories)),
                        Cell(Figures.bytes(namespace.bytes)), Cell(namespace.space.map(Self.model) ?? ""),
                        Cell(namespace.space.map { Figures.count($0.dimension) } ?? ""), Cell(Self.building(namespace, done: done)),
                    ])
                }
            }
            if !format.json { try output.lines(table.takeLines()) }
            try output.flush()
        }
    }

    private static func model(_ space: MemorySpace) -> String {
        space.model == .brought ? "your own" : DisplayText.line(space.model.target)
    }

    private static func building(_ namespace: MemoryNamespace, done: Int?) -> String {
        guard let building = namespace.building, let done else { return "" }
        return "\(model(building)), \(Figures.count(done)) done"
    }

    private static func json(_ namespace: MemoryNamespace, done: Int?) -> JSONValue {
        .object([
            .init("namespace", .string(namespace.name)), .init("memories", .integer(Int64(namespace.memories))),
            .init("bytes", .integer(namespace.bytes)), .init("model", JobJSON.string(namespace.space?.model.target)),
            .init("passage_prefix", JobJSON.string(namespace.space?.model.passagePrefix)),
            .init("dimension", namespace.space.map { .integer(Int64($0.dimension)) } ?? .null),
            .init("becomes", JobJSON.string(namespace.building?.model.target)),
            .init("becomes_done", done.map { .integer(Int64($0)) } ?? .null),
        ])
    }
}
