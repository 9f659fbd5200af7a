import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue cache list`
struct CacheListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the cached answers, latest used first.",
        discussion: """
              agent-queue cache list --limit 10
            """)

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 50

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let now = Now.milliseconds
            var output = Output()
            var table = Table([
                Column("DIGEST"), Column("TARGET"), Column("HITS", isNumber: true), Column("SIZE", isNumber: true), Column("USED"),
                Column("EXPIRES"), Column("ANSWER", leastWidth: 12),
            ])
            for entry in try store.cacheEntries(limit: limit) {
                if format.json {
                    try output.json(CacheJSON.entry(entry, withReply: false))
                } else {
                    table.add([
                        Cell(String(Hexadecimal.text(entry.digest).prefix(12))), Cell(DisplayText.line(entry.target)),
                        Cell(Figures.count(entry.hits)), Cell(Figures.bytes(entry.bytes)),
                        Cell(Figures.relative(entry.lastUsedAt, now: now)), Cell(Figures.relative(entry.expiresAt, now: now)),
                        Cell(Self.preview(entry)),
                    ])
                }
            }
            if !format.json { try output.lines(table.takeLines()) }
            try output.flush()
        }
    }

    private static func preview(_ entry: CacheEntrySummary) -> String {
        let reply = try? JSONValue.parse(entry.reply)
        return DisplayText.line(reply?["text"]?.string ?? entry.reply, limit: 120)
    }
}
