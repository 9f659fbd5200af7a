import Glibc
import JobModel
import QueueStore
import VectorMemory

/// Prints what was found.
struct AnswerPrinter {
    let json: Bool
    let explains: Bool
    /// Whether people must be told which query was answered.
    var isOneOfSeveral = false
    private var isFirst = true
    private var output = Output()

    init(json: Bool, explains: Bool) {
        self.json = json
        self.explains = explains
    }

    /// Prints answers, each after its query.
    mutating func print(_ answers: [MemoryAnswer], to queries: [MemoryQuery]) throws {
        for (query, answer) in zip(queries, answers) {
            if json {
                try output.json(object(query, answer))
            } else {
                try printTable(query, answer)
            }
        }
        try output.flush()
    }

    private func object(_ query: MemoryQuery, _ answer: MemoryAnswer) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("query", JobJSON.string(query.text)), .init("hits", .array(answer.hits.map(Self.hit))),
        ]
        if explains { members.append(.init("explain", .array(answer.reports.map(SearchExplanation.json)))) }
        return .object(members)
    }

    private static func hit(_ hit: MemoryHit) -> JSONValue {
        let number = { (value: Double?) in value.map(JSONValue.double) ?? .null }
        let rank = { (value: Int?) in value.map { JSONValue.integer(Int64($0)) } ?? .null }
        let found: [JSONValue.Member] = [
            .init("score", .double(hit.score)), .init("similarity", number(hit.similarity)), .init("vector_rank", rank(hit.vectorRank)),
            .init("word_rank", rank(hit.wordRank)),
        ]
        return .object(found + (MemoryJSON.memory(hit.memory).members ?? []))
    }

    /// Four places; of what is smaller, two digits.
    private static func score(_ score: Double) -> String {
        guard score != 0, abs(score) < 0.000_05 else { return Figures.decimal(score, places: 4) }
        let places = Int((-log10(abs(score))).rounded(.down)) + 2
        return places <= 12 ? Figures.decimal(score, places: places) : "\(score)"
    }

    private mutating func printTable(_ query: MemoryQuery, _ answer: MemoryAnswer) throws {
        if isOneOfSeveral {
            if !isFirst { try output.line() }
            let title = query.text.map { DisplayText.line($0, limit: 160) } ?? "(a vector)"
            try output.line(Style.apply(.bold, to: title, on: .output))
        }
        isFirst = false
        let tellsNamespace = query.namespaces.count > 1
        var columns = [Column("SCORE", isNumber: true), Column("ID", isNumber: true)]
        if tellsNamespace { columns.append(Column("NAMESPACE")) }
        columns += [Column("TEXT", leastWidth: 24), Column("METADATA", leastWidth: 8)]
        var table = Table(columns)
        for hit in answer.hits {
            var row = [Cell(Self.score(hit.score)), Cell("\(hit.memory.id)")]
            if tellsNamespace { row.append(Cell(DisplayText.line(hit.memory.namespace))) }
            row += [Cell(MemoryPreview.text(hit.memory)), Cell(MemoryPreview.metadata(hit.memory), .dim)]
            table.add(row)
        }
        try output.lines(table.takeLines())
        guard explains else { return }
        try output.line()
        try output.lines(SearchExplanation.lines(answer.reports))
    }
}
