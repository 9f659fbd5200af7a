import AgentQueue
import ArgumentParser
import QueueStore

/// `agent-queue memory list`
struct MemoryListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List memories, newest first.",
        discussion: """
              agent-queue memory list --namespace notes --limit 10
              agent-queue memory list --json | jq .text
            """)

    @Option(name: .long, help: ArgumentHelp("Those of this namespace.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 50

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 500

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() async throws {
        try await Session(global).withMemories { memories in
            let now = Now.milliseconds
            var output = Output()
            var table = Table([
                Column("ID", isNumber: true), Column("NAMESPACE"), Column("KEY"), Column("IMPORTANCE", isNumber: true), Column("CREATED"),
                Column("EXPIRES"), Column("TEXT", leastWidth: 12),
            ])
            var left = limit
            var before: Int64?
            while left > 0 {
                let page = try memories.list(in: namespace, before: before, limit: min(left, Self.page))
                for memory in page {
                    if format.json { try output.json(MemoryJSON.memory(memory)) } else { table.add(Self.row(memory, now: now)) }
                }
                if !format.json { try output.lines(table.takeLines()) }
                guard let last = page.last, page.count == min(left, Self.page) else { break }
                before = last.id
                left -= page.count
            }
            try output.flush()
        }
    }

    private static func row(_ memory: Memory, now: Int64) -> [Cell] {
        [
            Cell("\(memory.id)"), Cell(DisplayText.line(memory.namespace)), Cell(DisplayText.line(memory.key ?? "", limit: 40)),
            Cell(Figures.decimal(memory.importance, places: 2)), Cell(Figures.relative(memory.createdAt, now: now)),
            Cell(memory.expiresAt.map { Figures.relative($0, now: now) } ?? "never"), Cell(MemoryPreview.text(memory)),
        ]
    }
}
