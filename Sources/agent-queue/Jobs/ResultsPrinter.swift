import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings

/// Prints answers page by page, so that their number does not matter.
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

    /// The states that are meant where nobody says.
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

/// Answers as CSV (RFC 4180).
enum ResultsCSV {
    static let header =
        "id,custom_id,state,kind,queue,model,batch,tags,created_at,finalized_at,finish_reason,input_tokens,output_tokens,cost_usd,"
        + "answered_by,target,latency_ms,text,error"

    static func row(_ job: Job) -> String {
        let result = job.result
        let text = result.map { result in
            result.reply["text"]?.string ?? result.reply["embeddings"].map { JSONText.text($0) } ?? ""
        }
        let fields: [String?] = [
            "\(job.id)", job.customID, job.state.rawValue, job.kind.rawValue, job.queue, job.target.description, job.batch,
            job.tags.joined(separator: " "), TimeText.format(job.createdAt), job.finalizedAt.map(TimeText.format),
            result?.reply["finish_reason"]?.string, result.map { "\($0.usage.inputTokens)" }, result.map { "\($0.usage.outputTokens)" },
            result.map { Money.text($0.cost) }, result?.answeredBy.rawValue, result?.target, result.map { "\($0.latency)" }, text,
            result == nil ? job.errors.last?.message : nil,
        ]
        return fields.map { field($0 ?? "") }.joined(separator: ",")
    }

    /// In quotes where it must be. Line breaks stay, other control characters are escaped, as in all that people read.
    private static func field(_ text: String) -> String {
        let shown = DisplayText.lines(text)
        guard shown.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else {
            return shown
        }
        return "\"\(shown.replacing("\"", with: "\"\""))\""
    }
}
