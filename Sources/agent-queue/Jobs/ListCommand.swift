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
              agent-queue list --state retryable,failed --since 1h
              agent-queue list --batch monday --limit 1000 --json | jq .state
            """)

    @OptionGroup var filters: FilterOptions

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Filter by run.", valueName: "id"))
    var run: Int64?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number to show.", valueName: "n"))
    var limit = 50

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 500

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            var table = JobTable()
            var left = limit
            var before: Int64?
            var filter = filters.filter
            filter.run = run
            while left > 0 {
                let jobs = try store.jobs(filter, limit: min(left, Self.page), before: before)
                for job in jobs { try format.json ? output.json(JobJSON.job(job)) : table.add(job) }
                if !format.json { try output.lines(table.takeLines()) }
                guard let last = jobs.last, jobs.count == min(left, Self.page) else { break }
                before = last.id
                left -= jobs.count
            }
            try output.flush()
        }
    }
}

/// Jobs as a table.
struct JobTable {
    private let now = Now.milliseconds
    private var table = Table([
        Column("ID", isNumber: true), Column("STATE"), Column("QUEUE"), Column("MODEL", leastWidth: 12), Column("TRIES", isNumber: true),
        Column("CREATED"), Column("PROMPT", leastWidth: 12),
    ])

    mutating func add(_ job: Job) {
        table.add([
            Cell("\(job.id)"), Cell(job.state.displayName, Style.of(job.state)), Cell(DisplayText.line(job.queue)),
            Cell(DisplayText.line(job.target.description)), Cell("\(job.attempt)/\(job.maxAttempts)"),
            Cell(Figures.relative(job.createdAt, now: now)), Cell(JobPreview.prompt(job)),
        ])
    }

    /// The lines since the last call.
    mutating func takeLines() -> [String] { table.takeLines() }
}
