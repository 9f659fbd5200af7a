import AgentQueue
import AgentQueueMemory
import ArgumentParser

/// `agent-queue memory search`
struct MemorySearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Search memories by meaning, by words, or both.",
        discussion: """
            Each argument is a separate query; `-` reads one from standard input. With --jsonl, each line is a query: {"text": "…"} with \
            any of namespace, limit, mode, where and vector. Results are exact unless --scan approximate is given. SCORE is the \
            similarity, plus any weighted terms; higher is better.

              agent-queue memory search 'When can I come in?'
              agent-queue memory search 'refund' --namespace tickets,notes --mode hybrid --where 'lang = "en" and score >= 3'
              agent-queue memory search --jsonl questions.jsonl --limit 3 --json | jq -c '.hits[].text'
            """)

    @Argument(help: ArgumentHelp("Queries; `-` reads one from standard input.", valueName: "text"))
    var texts: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Read a query from each line of a JSONL file, or of standard input with `-`.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String?

    @Option(name: .long, help: ArgumentHelp("Query vector, if you make your own: [0.1, -0.2, …].", valueName: "json"))
    var vector: String?

    @OptionGroup var options: SearchOptions

    @Flag(name: .long, help: "Explain how the results were found, with timings.")
    var explain = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    /// Number of queries answered at a time.
    private static let slice = 64

    func validate() throws {
        guard !texts.isEmpty || jsonl != nil || vector != nil else {
            throw ValidationError("missing query; give it as an argument, or use - for standard input")
        }
        if jsonl != nil {
            if !texts.isEmpty { throw ValidationError("queries and --jsonl are mutually exclusive") }
            if vector != nil { throw ValidationError("--vector cannot be combined with --jsonl; put \"vector\" in the lines") }
        }
        if vector != nil, texts.count > 1 { throw ValidationError("--vector takes a single query; use --jsonl for several") }
    }

    func run() async throws {
        let session = try Session(global)
        let template = options.query(session.settings)
        try await session.withMemories { memories in
            var printer = AnswerPrinter(json: format.json, explains: explain)
            if let jsonl {
                let run = BulkQueries(input: try BulkFile.input(jsonl, session), template: template)
                try check(run)
                printer.isOneOfSeveral = true
                try await run.forEachSlice(Self.slice) { queries in
                    try printer.print(try await memories.search(queries), to: queries)
                }
            } else {
                let queries = try queries(template)
                printer.isOneOfSeveral = queries.count > 1
                try printer.print(try await memories.search(queries), to: queries)
            }
        }
    }

    private func check(_ run: BulkQueries) throws {
        do throws(InputError) {
            _ = try run.check()
        } catch {
            throw InputError("\(jsonl == "-" ? "standard input" : jsonl ?? ""): \(error.message)", kind: error.kind)
        }
    }

    private func queries(_ template: MemoryQuery) throws -> [MemoryQuery] {
        var template = template
        template.vector = try vector.map(VectorText.parse)
        guard !texts.isEmpty else { return [template] }
        return try texts.map { text in
            var query = template
            query.text = try text == "-" ? MemoryText.read("-") : text
            return query
        }
    }
}
