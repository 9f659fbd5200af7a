import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue prune`
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove expired data.",
        discussion: """
            Removes finished jobs and runs older than `retention`, cache entries that have expired or exceed `cache.max_bytes`, and \
            memories that have expired or exceed `memory.max_bytes` or the limits in `memory.namespaces` (least important first, then \
            least recently recalled). Also removes finished notifications older than `retention.completed`, old records of charges, imports \
            and provider batches, and what the gateway no longer needs: answers from the cache after `serve.keep_cached`, expired files, \
            and old records about keys. Safe to run while workers are running, and meant for cron. Jobs that unfinished jobs depend on \
            are kept. Works on a full disk too.

            The database uses the space of what is removed again. `--vacuum` gives it back to the file system, and `bytes freed` says \
            how much shorter the file has become.

              agent-queue prune
              agent-queue prune --older-than 12h --dry-run
            """)

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Remove finished jobs and runs older than this instead of `retention`, such as 7d.", valueName: "duration"),
        transform: DurationOption.parse)
    var olderThan: Duration?

    @Flag(name: .long, help: "Show what would be removed, without removing anything.")
    var dryRun = false

    @Flag(name: .long, help: "Shorten the database file by the space that is free in it.")
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
            try print(try await store.maintenance.prune(policy, dryRun: dryRun))
        }
    }

    private func print(_ report: PruneReport) throws {
        var output = Output()
        if format.json {
            try output.json(StatsJSON.prune(report))
        } else {
            var table = Table([Column(dryRun ? "WOULD REMOVE" : "REMOVED"), Column("", isNumber: true)])
            table.add(["jobs", Cell(Figures.count(report.jobs))])
            table.add(["runs", Cell(Figures.count(report.runs))])
            table.add(["cache entries", Cell(Figures.count(report.cacheEntries))])
            table.add(["memories", Cell(Figures.count(report.memories))])
            table.add(["audit entries", Cell(Figures.count(report.auditEntries))])
            table.add(["files", Cell(Figures.count(report.files))])
            table.add(["clients' batches", Cell(Figures.count(report.clientBatches))])
            table.add(["bytes freed", Cell(Figures.bytes(report.bytesFreed))])
            try output.lines(table.takeLines())
        }
        try output.flush()
    }
}
