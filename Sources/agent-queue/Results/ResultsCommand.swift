import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue results`
struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Print answers in bulk, oldest first.",
        discussion: """
            Completed jobs, unless --state says otherwise. The two batch formats are those of OpenAI's and Anthropic's batch results, \
            with a line for each job that has ended; a job that has no custom_id goes by its number.

              agent-queue results --batch monday --format csv > monday.csv
              agent-queue results --batch monday --json | jq -r .result.text
            """)

    @OptionGroup var filters: FilterOptions

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("At most so many. Default: all.", valueName: "n"))
    var limit: Int?

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp("jsonl, csv, openai-batch or anthropic-batch. Default: a table.", valueName: "format"))
    var outputFormat: ResultsFormat?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 200

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
        if format.json, let outputFormat, outputFormat != .jsonl {
            throw ValidationError("--json is --format jsonl; it cannot be \(outputFormat.rawValue) at once")
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
                let jobs = try store.jobs(filter, limit: wanted, after: after)
                try printer.print(jobs)
                guard let last = jobs.last, jobs.count == wanted else { break }
                after = last.id
                left -= jobs.count
            }
            try printer.finish()
        }
    }
}
