import JobModel
import VectorMemory

/// How an answer was found.
enum SearchExplanation {
    /// For people: a row for each namespace.
    static func lines(_ reports: [NamespaceReport]) -> [String] {
        var table = Table([
            Column("NAMESPACE"), Column("SCAN"), Column("THREADS", isNumber: true), Column("FILTER LEFT", isNumber: true),
            Column("SCANNED", isNumber: true), Column("SKETCHED", isNumber: true), Column("CANDIDATES", isNumber: true),
            Column("RANKED", isNumber: true), Column("NEW", isNumber: true), Column("GONE", isNumber: true),
            Column("INDEX", isNumber: true),
            Column("FILTER", isNumber: true), Column("SCAN TIME", isNumber: true), Column("WORDS", isNumber: true),
        ])
        for report in reports {
            let scan = report.scan
            let times = report.microseconds
            table.add([
                Cell(DisplayText.line(report.namespace)), Cell(scan?.scan.rawValue ?? "none"), count(scan?.threads), count(report.passed),
                count(scan?.scanned), count(scan?.sketched), count(scan?.candidates), count(scan?.ranked),
                Cell(Figures.count(report.followed.new) + (report.isRebuilt ? " (read anew)" : "")), count(report.followed.gone),
                time(times.index), time(times.filter), time(times.scan), time(times.words),
            ])
        }
        return table.takeLines()
    }

    /// For scripts: times in µs.
    static func json(_ report: NamespaceReport) -> JSONValue {
        let number = { (value: Int?) in value.map { JSONValue.integer(Int64($0)) } ?? .null }
        let scan = report.scan
        return .object([
            .init("namespace", .string(report.namespace)), .init("scan", JobJSON.string(scan?.scan.rawValue)),
            .init("threads", number(scan?.threads)), .init("filter_left", number(report.passed)), .init("scanned", number(scan?.scanned)),
            .init("sketched", number(scan?.sketched)), .init("candidates", number(scan?.candidates)), .init("ranked", number(scan?.ranked)),
            .init("index_new", number(report.followed.new)), .init("index_gone", number(report.followed.gone)),
            .init("index_rebuilt", .bool(report.isRebuilt)), .init("index_us", number(report.microseconds.index)),
            .init("filter_us", number(report.microseconds.filter)), .init("scan_us", number(report.microseconds.scan)),
            .init("words_us", number(report.microseconds.words)),
        ])
    }

    private static func count(_ value: Int?) -> Cell { Cell(value.map { Figures.count($0) } ?? "") }

    private static func time(_ microseconds: Int) -> Cell { Cell("\(Figures.decimal(Double(microseconds) / 1_000, places: 2)) ms") }
}
