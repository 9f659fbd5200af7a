import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue prune`
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove what has had its time.",
        discussion: """
            For cron: finished jobs and runs past `retention`, cached answers past their time or over `cache.max_bytes`, and memories past their \
            time or over `memory.max_bytes` and the caps of `memory.namespaces` (the least important first, then the longest not \
            recalled). Works in small steps and is safe beside live workers. A job that others still wait for stays.

              agent-queue prune
              agent-queue prune --older-than 12h --dry-run
            """)

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Finished jobs and runs older than this, instead of `retention`: 7d.", valueName: "duration"),
        transform: DurationOption.parse)
    var olderThan: Duration?

    @Flag(name: .long, help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    @Flag(name: .long, help: "Give free pages back to the file system, in small steps.")
    var vacuum = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var policy = session.settings.prunePolicy
            policy.shrinks = vacuum
            if let age = olderThan?.milliseconds {
                (policy.completed, policy.cancelled, policy.discarded) = (age, age, age)
            }
            try print(try await store.prune(policy, dryRun: dryRun))
        }
    }

    private func print(_ report: PruneReport) throws {
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("jobs", .integer(Int64(report.jobs))), .init("runs", .integer(Int64(report.runs))),
                    .init("cache_entries", .integer(Int64(report.cacheEntries))),
                    .init("memories", .integer(Int64(report.memories))), .init("bytes_freed", .integer(report.bytesFreed)),
                ]))
        } else {
            var table = Table([Column(dryRun ? "WOULD REMOVE" : "REMOVED"), Column("", isNumber: true)])
            table.add(["jobs", Cell(Figures.count(report.jobs))])
            table.add(["runs", Cell(Figures.count(report.runs))])
            table.add(["cached answers", Cell(Figures.count(report.cacheEntries))])
            table.add(["memories", Cell(Figures.count(report.memories))])
            table.add(["bytes freed", Cell(Figures.bytes(report.bytesFreed))])
            try output.lines(table.takeLines())
        }
        try output.flush()
    }
}
