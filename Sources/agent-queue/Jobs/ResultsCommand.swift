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
            Includes completed jobs only, unless --all or --state is given, and says on standard error how many jobs it leaves out. The \
            formats openai-batch and anthropic-batch match the result files of those batch APIs and include every finished job; a job \
            without a custom_id is identified by its ID.

            JSON has the parsed value of a reply with a schema as `output`. CSV has a column for each key of the jobs' metadata \
            (metadata.KEY) and for each property of a flat schema (output.NAME); a nested value is one column of JSON, output. --columns \
            chooses: \(ResultColumn.Field.allCases.map(\.rawValue).joined(separator: ", ")), metadata.KEY and output.NAME.

              agent-queue results --batch monday --all --format csv > monday.csv
              agent-queue results --batch monday --json | jq -r .result.text
              agent-queue results --batch monday --format csv --columns custom_id,metadata.lang,text
            """)

    @OptionGroup var filters: FilterOptions

    @Flag(name: .long, help: "Include failed and cancelled jobs.")
    var all = false

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number to print. Default: all.", valueName: "n"))
    var limit: Int?

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp("Output format: jsonl, csv, openai-batch or anthropic-batch. Default: a table.", valueName: "format"))
    var outputFormat: ResultsFormat?

    @Option(
        name: .long, help: ArgumentHelp("Columns of CSV or keys of JSON, between commas.", valueName: "names"),
        transform: ColumnList.init(argument:))
    var columns: [ColumnList] = []

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 200

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
        if all, !filters.state.isEmpty { throw ValidationError("--all and --state are mutually exclusive") }
        if format.json, let outputFormat, outputFormat != .jsonl {
            throw ValidationError("--json cannot be combined with --format \(outputFormat.rawValue)")
        }
        if !columns.isEmpty, printed != .jsonl, printed != .csv {
            throw ValidationError("--columns requires --format csv, --format jsonl or --json")
        }
    }

    func run() async throws {
        try await Session(global).withStore { store in
            var filter = try filters.filter(in: store)
            let isChosen = !filter.states.isEmpty
            if !isChosen { filter.states = states }
            let (columns, last) = try chooseColumns(filter, in: store)
            var printer = ResultsPrinter(printed, columns: columns)
            var after: Int64 = 0
            var left = limit ?? .max
            while left > 0 {
                let wanted = min(left, Self.page)
                let jobs = try store.jobs.list(filter, limit: wanted, after: after)
                try printer.print(jobs.filter { $0.id <= last })
                guard let end = jobs.last, jobs.count == wanted, end.id <= last else { break }
                after = end.id
                left -= jobs.count
            }
            try printer.finish()
            if !isChosen { try sayWhatIsLeftOut(of: filter, in: store) }
        }
    }

    /// Nil is a table.
    private var printed: ResultsFormat? { outputFormat ?? (format.json ? .jsonl : nil) }

    /// The default for --state.
    private var states: [JobState] {
        let isBatchFile = printed == .openAIBatch || printed == .anthropicBatch
        return all || isBatchFile ? JobState.allCases.filter(\.isFinal) : [.completed]
    }

    /// The columns, and the last job that they are sure to cover: jobs that are added meanwhile may have other metadata.
    private func chooseColumns(_ filter: JobFilter, in store: QueueStore) throws -> ([ResultColumn]?, last: Int64) {
        guard columns.isEmpty else { return (columns.flatMap(\.columns), .max) }
        guard printed == .csv else { return (nil, .max) }
        var filter = filter
        // A job that finishes meanwhile may bring a key that none of the finished jobs has.
        if limit == nil { filter.states = [] }
        var survey = ResultColumnSurvey()
        let last = try store.jobs.survey(filter, limit: limit ?? .max) { metadata, request in
            survey.add(metadata: metadata, body: request)
            return !survey.isTooWide
        }
        guard !survey.isTooWide else {
            throw CommandFailure(
                .badInput,
                "the jobs have more than \(ResultColumnSurvey.most) different metadata keys and properties; choose columns with --columns")
        }
        return (survey.columns, last)
    }

    private func sayWhatIsLeftOut(of filter: JobFilter, in store: QueueStore) throws {
        var everything = filter
        everything.states = []
        let counts = try store.jobs.counts(everything).filter { !filter.states.contains($0.key) }
        if let sentence = LeftOut(counts).sentence { Diagnostics.say(sentence) }
    }
}

/// The jobs that `results` does not show.
struct LeftOut {
    private let failed: Int
    private let cancelled: Int
    private let unfinished: Int

    init(_ counts: [JobState: Int]) {
        failed = counts[.discarded] ?? 0
        cancelled = counts[.cancelled] ?? 0
        unfinished = counts.filter { !$0.key.isFinal }.reduce(0) { $0 + $1.value }
    }

    /// Such as `12 failed and 3 unfinished jobs are not shown: --all includes failed ones`; nil if everything is shown.
    var sentence: String? {
        let kinds = [(failed, "failed"), (cancelled, "cancelled"), (unfinished, "unfinished")].filter { $0.0 > 0 }
        guard !kinds.isEmpty else { return nil }
        let total = failed + cancelled + unfinished
        let hint = Self.list(kinds.map(\.1).filter { $0 != "unfinished" })
        return "\(Self.list(kinds.map { "\(Figures.count($0.0)) \($0.1)" })) \(total == 1 ? "job is" : "jobs are") not shown"
            + (hint.isEmpty ? "" : ": --all includes \(hint) ones")
    }

    /// `a`, `a and b`, `a, b and c`.
    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) and \(last)"
    }
}

/// The value of `--columns`.
struct ColumnList {
    let columns: [ResultColumn]

    /// - Throws: `ValidationError` that suggests the column that was probably meant.
    init(argument: String) throws {
        columns = try argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
            let name = String(name)
            if let column = ResultColumn(name: name) { return column }
            let known = ResultColumn.Field.allCases.map(\.rawValue)
            let hint = Suggestion.nearest(to: name, in: known).map { "did you mean \(InvalidText.quoted($0))?" }
            throw ValidationError(
                "unknown column \(InvalidText.quoted(name)) "
                    + "(\(hint ?? "use \(known.joined(separator: ", ")), metadata.KEY or output.NAME"))")
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
