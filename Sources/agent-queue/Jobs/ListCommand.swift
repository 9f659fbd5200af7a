import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue list`
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, newest first.",
        discussion: """
            A filter may be repeated or hold commas: any of its values.

              agent-queue list --state retryable,failed --since 1h
              agent-queue list --error-class rate_limited,overloaded --search invoice
              agent-queue list --batch monday --limit 1000 --json | jq .state
            """)

    @OptionGroup var filters: FilterOptions

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 500

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            let filter = try filters.filter(in: store)
            try limit.forEachPage(of: Self.page) { [filter] before, count in
                try store.jobs.list(filter, limit: count, before: before)
            } id: {
                $0.id
            } _: { jobs in
                for job in jobs { try listing.add(JobJSON.job(job), row: Self.row(job, now: now)) }
                try listing.printPart()
            }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("ID", isNumber: true), Column("STATE", .fixed), Column("QUEUE"), Column("MODEL", leastWidth: 12),
        Column("TRIES", isNumber: true),
        Column("CREATED", .fixed), Column("PROMPT", .text, leastWidth: 12),
    ]

    private static func row(_ job: Job, now: Int64) -> [Cell] {
        [
            Cell("\(job.id)"), Cell(job.state.displayName, Style.of(job.state)), Cell(DisplayText.line(job.queue)),
            Cell(DisplayText.line(job.target.description)), Cell("\(job.attempt)/\(job.maxAttempts)"),
            Cell(Figures.relative(job.createdAt, now: now)), Cell(JobPreview.prompt(job)),
        ]
    }
}
