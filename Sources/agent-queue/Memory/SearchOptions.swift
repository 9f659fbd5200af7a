import AgentQueue
import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import ArgumentParser

/// Options of a query. With `--jsonl`, the defaults for lines.
struct SearchOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("Namespaces to search, comma-separated. Default: default.", valueName: "name"),
        transform: NamespaceOption.parseSeveral)
    var namespace: [NamespaceOption.NameList] = []

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number of results, 1 to 10000.", valueName: "n"))
    var limit = 10

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Search mode: vector (meaning), words (full text) or hybrid (both, combined by rank). Default: vector.",
            valueName: "mode"),
        completion: .list(MemoryQuery.Mode.allCases.map(\.rawValue)), transform: ChoiceOption.parse)
    var mode: MemoryQuery.Mode?

    @Option(
        name: .long, help: ArgumentHelp("Similarity metric: cosine, dot or euclidean. Default: cosine.", valueName: "metric"),
        completion: .list(VectorMetric.allCases.map(\.rawValue)), transform: ChoiceOption.parse)
    var metric = VectorMetric.cosine

    @Option(
        name: .customLong("where"), parsing: .unconditional,
        help: ArgumentHelp(
            "Filter by metadata: topic = \"billing\" and (score >= 3 or lang in [\"en\", \"pt\"]) and exists(author.name).",
            valueName: "expression"),
        transform: SearchOptions.expression)
    var filter: Expression?

    @Option(
        name: .long, help: ArgumentHelp("Created at or after: a time (2026-12-01T09:00Z) or an age (1h, 2d).", valueName: "time"),
        transform: TimeOption.parse)
    var since: Int64?

    @Option(name: .long, help: ArgumentHelp("Created before, in the same form as --since.", valueName: "time"), transform: TimeOption.parse)
    var before: Int64?

    @Option(name: .long, help: ArgumentHelp("Maximum age, such as 30d.", valueName: "duration"), transform: DurationOption.parse)
    var maxAge: Duration?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Minimum importance, 0 to 1.", valueName: "x"))
    var minImportance: Double?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Minimum score.", valueName: "x"))
    var minScore: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Diversity of the results, 0 to 1 (maximal marginal relevance).", valueName: "x"))
    var diversity: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Weight of recency, relative to 1 for similarity.", valueName: "w"))
    var recencyWeight = 0.0

    @Option(
        name: .long, help: ArgumentHelp("With --recency-weight: half-life of recency. Default: 7d.", valueName: "duration"),
        transform: DurationOption.parse)
    var halfLife: Duration?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Weight of importance, relative to 1 for similarity.", valueName: "w"))
    var importanceWeight = 0.0

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Scan strategy: automatic, full, cascade, or approximate, which is faster but may miss results.",
            valueName: "scan"),
        completion: .list(VectorScan.allCases.map(\.rawValue)), transform: ChoiceOption.parse)
    var scan: VectorScan?

    func validate() throws {
        guard (1...MemoryQuery.maxLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(MemoryQuery.maxLimit), not \(limit)")
        }
        if since != nil, maxAge != nil { throw ValidationError("--since and --max-age are mutually exclusive") }
        if halfLife != nil, recencyWeight == 0 { throw ValidationError("--half-life requires --recency-weight") }
    }

    /// A query with these options and no text.
    func query(_ settings: Settings) -> MemoryQuery {
        let names = namespace.flatMap(\.names)
        var query = MemoryQuery(namespaces: names.isEmpty ? [NamespaceName.usual] : names)
        query.limit = limit
        query.mode = mode ?? (settings.memory.vectors ? .vector : .words)
        query.metric = metric
        query.filter = filter
        query.createdAfter = maxAge.map { Now.milliseconds - $0.milliseconds } ?? since
        query.createdBefore = before
        query.minImportance = minImportance
        query.minScore = minScore
        query.relevance = diversity.map { 1 - $0 }
        query.recencyWeight = recencyWeight
        if let halfLife { query.recencyHalfLife = halfLife.milliseconds }
        query.importanceWeight = importanceWeight
        if let scan { query.scan = scan }
        return query
    }

    private static func expression(_ text: String) throws -> Expression {
        do {
            return try Expression.parse(text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
