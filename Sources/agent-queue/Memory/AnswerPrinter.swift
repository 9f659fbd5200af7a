import AgentQueueMemory
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Glibc

/// Prints search results.
struct AnswerPrinter {
    let json: Bool
    let explains: Bool
    /// Whether to print each query before its results.
    var isOneOfSeveral = false
    private var isFirst = true
    private var output = Output()

    init(json: Bool, explains: Bool) {
        self.json = json
        self.explains = explains
    }

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
            .init("query", JobJSON.string(query.text)), .init("hits", .array(answer.hits.map(MemoryJSON.hit))),
        ]
        if explains { members.append(.init("explain", .array(answer.reports.map(MemoryJSON.explanation)))) }
        return .object(members)
    }

    /// Four decimals, or two significant digits if smaller.
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
        columns += [Column("TEXT", .text, leastWidth: 24), Column("METADATA", .text, leastWidth: 8)]
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

/// Explains how results were found.
enum SearchExplanation {
    /// For people.
    static func lines(_ reports: [NamespaceReport]) -> [String] {
        let sheets = reports.map { report in
            var sheet = DetailView()
            let times = report.microseconds
            sheet.add("namespace", DisplayText.line(report.namespace))
            sheet.add("index", "\(index(report)), \(time(times.index))")
            sheet.add("filter", report.passed.map { "\(Figures.count($0)) left, \(time(times.filter))" })
            sheet.add("scan", report.scan.map { "\(vectors($0)), \(time(times.scan))" })
            sheet.add("words", times.words > 0 ? time(times.words) : nil)
            return sheet.lines
        }
        return Array(sheets.joined(separator: [""]))
    }

    private static func index(_ report: NamespaceReport) -> String {
        let followed = "\(Figures.count(report.followed.new)) new, \(Figures.count(report.followed.gone)) gone"
        return report.isRebuilt ? "rebuilt, \(followed)" : followed
    }

    private static func vectors(_ scan: ScanReport) -> String {
        let sketched = scan.scan == .full ? "" : ", \(Figures.count(scan.sketched)) left by the sketch"
        return "\(scan.scan.rawValue) on \(Figures.count(scan.threads, "thread")): \(Figures.count(scan.scanned, "vector"))\(sketched), "
            + "\(Figures.count(scan.candidates)) by the codes, \(Figures.count(scan.ranked)) ranked exactly"
    }

    private static func time(_ microseconds: Int) -> String { "\(Figures.decimal(Double(microseconds) / 1_000, places: 2)) ms" }
}
