import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings

/// Prints answers page by page, in constant memory.
struct ResultsPrinter {
    /// Nil is a table.
    private let format: ResultsFormat?
    /// Of CSV, and of JSON if they were chosen.
    private let columns: [ResultColumn]?
    private var output = Output()
    private var hasBegun = false
    private var table = Table([
        Column("ID", isNumber: true), Column("STATE", .fixed), Column("MODEL", leastWidth: 12), Column("BY", .fixed),
        Column("TOOK", isNumber: true),
        Column("COST", isNumber: true), Column("ANSWER", .text, leastWidth: 12),
    ])

    init(_ format: ResultsFormat?, columns: [ResultColumn]?) {
        self.format = format
        self.columns = columns
    }

    mutating func print(_ jobs: [Job]) throws {
        if !hasBegun, format == .csv { try output.line(ResultsCSV.header(columns ?? ResultColumn.usual)) }
        hasBegun = true
        for job in jobs {
            switch format {
            case .jsonl: try output.json(object(job))
            case .csv: try output.line(ResultsCSV.row(job, columns ?? ResultColumn.usual))
            case .openAIBatch: try output.json(OpenAIBatchLine.make(job))
            case .anthropicBatch: try output.json(AnthropicBatchLine.make(job))
            case nil: add(job)
            }
        }
        if format == nil { try output.lines(table.takeLines()) }
    }

    mutating func finish() throws {
        try output.flush()
    }

    private func object(_ job: Job) -> JSONValue {
        guard let columns else { return JobJSON.job(job, withOutput: true) }
        return .object(columns.map { .init($0.name, $0.json(job)) })
    }

    private mutating func add(_ job: Job) {
        let result = job.result
        table.add([
            Cell("\(job.id)"), Cell(job.state.displayName, Style.of(job.state)),
            Cell(DisplayText.line(result?.target ?? job.target.description)), Cell(result?.answeredBy.rawValue ?? ""),
            Cell(JobPreview.took(job)), Cell(result.map { Figures.money($0.cost) } ?? ""),
            Cell(JobPreview.answer(job)),
        ])
    }
}
