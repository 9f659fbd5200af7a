import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue results`
struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Print the answers of many jobs, oldest first.",
        discussion: """
            Includes completed jobs only, unless --state is given. The formats openai-batch and anthropic-batch match the result files \
            of those batch APIs and include every finished job; a job without a custom_id is identified by its ID.

              agent-queue results --batch monday --format csv > monday.csv
              agent-queue results --batch monday --json | jq -r .result.text
            """)

    @OptionGroup var filters: FilterOptions

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number to print. Default: all.", valueName: "n"))
    var limit: Int?

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp("Output format: jsonl, csv, openai-batch or anthropic-batch. Default: a table.", valueName: "format"))
    var outputFormat: ResultsFormat?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 200

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
        if format.json, let outputFormat, outputFormat != .jsonl {
            throw ValidationError("--json cannot be combined with --format \(outputFormat.rawValue)")
        }
    }

    func run() async throws {
        let session = try Session(global)
        var printer = ResultsPrinter(outputFormat ?? (format.json ? .jsonl : nil))
        var filter = filters.filter
        if filter.states.isEmpty { filter.states = printer.states }
        try await session.withStore { store in
            var after: Int64 = 0
            var left = limit ?? .max
            while left > 0 {
                let wanted = min(left, Self.page)
                let jobs = try store.jobs.list(filter, limit: wanted, after: after)
                try printer.print(jobs)
                guard let last = jobs.last, jobs.count == wanted else { break }
                after = last.id
                left -= jobs.count
            }
            try printer.finish()
        }
    }
}

/// How `results` prints.
enum ResultsFormat: String, CaseIterable, ExpressibleByArgument {
    /// A job a line.
    case jsonl
    /// A header, then a job a row (RFC 4180).
    case csv
    /// The lines of OpenAI's batch output files.
    case openAIBatch = "openai-batch"
    /// The lines of Anthropic's batch results.
    case anthropicBatch = "anthropic-batch"
}

/// `agent-queue result`
struct ResultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result",
        abstract: "Print the answer of a job.",
        discussion: """
            Prints the text only, or one line per vector for an embedding job. With --json, prints the whole result, with usage, cost \
            and source.

              agent-queue result 17
              agent-queue result 17 --json | jq .usage
            """)

    @Argument(help: ArgumentHelp("Job ID.", valueName: "id"))
    var id: Int64

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let job = try store.jobs.get(id) else { throw JobFailure.notFound(id) }
            guard let result = job.result else {
                if job.state.isFinal { try JobFailure.check(job) }
                throw CommandFailure(
                    .badInput, "job \(id) is \(job.state.displayName) and has no answer yet; run 'agent-queue wait \(id)' to wait for it")
            }
            try format.print(JobJSON.result(result), lines: JobAnswer.lines(job))
        }
    }
}

/// A job's answer as text.
enum JobAnswer {
    /// The value of an answer with a schema, else the text, or one line of JSON for each vector.
    static func lines(_ job: Job) -> [String] {
        guard let reply = job.result?.reply else { return [] }
        if let output = job.output { return [DisplayText.lines(output.text)] }
        if let text = reply["text"]?.string { return [DisplayText.lines(text)] }
        if let vectors = reply["embeddings"]?.array { return vectors.map { JSONText.text($0) } }
        return [JSONText.text(reply)]
    }
}
