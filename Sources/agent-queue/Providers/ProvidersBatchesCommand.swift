import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue providers batches`
struct ProvidersBatchesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batches",
        abstract: "List provider batches, newest first.",
        discussion: """
            Jobs enqueued with --batch-api are sent to the provider in batches and answered within 24 hours. A batch is collecting \
            (jobs are still being added), submitting, submitted, cancelling, harvesting (results are being read), returning (jobs \
            without a result go back to the queue) or, with --all, ended. JOBS is the size of the batch, OPEN the number without a \
            result. These are not the batches named by `enqueue --batch`.

              agent-queue providers batches
              agent-queue providers batches --all --json | jq .remote_id
            """)

    @Flag(name: .long, help: "Include batches that have ended.")
    var all = false

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let batches = try store.providerBatches.list(includesEnded: all, limit: limit.count)
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            for batch in batches { try listing.add(ProviderBatchJSON.batch(batch), row: Self.row(batch, now: now)) }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("ID", isNumber: true), Column("TARGET", leastWidth: 12), Column("KIND"), Column("STATE", .fixed),
        Column("JOBS", isNumber: true),
        Column("OPEN", isNumber: true),
        Column("CREATED", .fixed), Column("SENT", .fixed), Column("NEXT POLL", .fixed), Column("EXPIRES", .fixed),
        Column("PROVIDER ID", .fixed), Column("ERROR", .text),
    ]

    private static func row(_ batch: ProviderBatchSummary, now: Int64) -> [Cell] {
        let isOver = batch.state == .ended
        return [
            Cell("\(batch.id)"), Cell(DisplayText.line(batch.target)), Cell(DisplayText.line(batch.kind)),
            Cell(batch.state.rawValue, isOver ? .dim : nil), Cell(Figures.count(batch.jobs)),
            Cell(Figures.count(batch.open)),
            Cell(Figures.relative(batch.createdAt, now: now)),
            Cell(batch.submittedAt.map { Figures.relative($0, now: now) } ?? ""),
            Cell(isOver ? "" : Figures.relative(batch.dueAt, now: now)),
            Cell(isOver ? "" : batch.expiresAt.map { Figures.relative($0, now: now) } ?? ""),
            Cell(DisplayText.line(batch.remoteID ?? "")), Cell(DisplayText.line(batch.error ?? ""), .bad),
        ]
    }
}
