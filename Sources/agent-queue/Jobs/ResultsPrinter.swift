import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings

/// Prints answers page by page, in constant memory.
struct ResultsPrinter {
    /// Nil is a table.
    private let format: ResultsFormat?
    private var output = Output()
    private var hasBegun = false
    private var table = Table([
        Column("ID", isNumber: true), Column("STATE"), Column("MODEL", leastWidth: 12), Column("BY"), Column("TOOK", isNumber: true),
        Column("COST", isNumber: true), Column("ANSWER", leastWidth: 12),
    ])

    init(_ format: ResultsFormat?) {
        self.format = format
    }

    /// The default for --state.
    var states: [JobState] {
        switch format {
        case nil, .jsonl, .csv: [.completed]
        case .openAIBatch, .anthropicBatch: JobState.allCases.filter(\.isFinal)
        }
    }

    mutating func print(_ jobs: [Job]) throws {
        if !hasBegun, format == .csv { try output.line(ResultsCSV.header) }
        hasBegun = true
        for job in jobs {
            switch format {
            case .jsonl: try output.json(JobJSON.job(job))
            case .csv: try output.line(ResultsCSV.row(job))
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

    private mutating func add(_ job: Job) {
        let result = job.result
        table.add([
            Cell("\(job.id)"), Cell(job.state.displayName, Style.of(job.state)),
            Cell(DisplayText.line(result?.target ?? job.target.description)), Cell(result?.answeredBy.rawValue ?? ""),
            Cell(result.map { Figures.duration(milliseconds: $0.latency) } ?? ""), Cell(result.map { Figures.money($0.cost) } ?? ""),
            Cell(JobPreview.answer(job)),
        ])
    }
}
