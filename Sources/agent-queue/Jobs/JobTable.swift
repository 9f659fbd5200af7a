import JobModel

/// Jobs as a table.
struct JobTable {
    private let now = Now.milliseconds
    private var table = Table([
        Column("ID", isNumber: true), Column("STATE"), Column("QUEUE"), Column("MODEL", leastWidth: 12), Column("TRIES", isNumber: true),
        Column("CREATED"), Column("PROMPT", leastWidth: 12),
    ])

    mutating func add(_ job: Job) {
        table.add([
            Cell("\(job.id)"), Cell(job.state.rawValue, Style.of(job.state)), Cell(DisplayText.line(job.queue)),
            Cell(DisplayText.line(job.target.description)), Cell("\(job.attempt)/\(job.maxAttempts)"),
            Cell(Figures.relative(job.createdAt, now: now)), Cell(JobPreview.prompt(job)),
        ])
    }

    /// The lines since the last call.
    mutating func takeLines() -> [String] { table.takeLines() }
}
