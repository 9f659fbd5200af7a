import JobModel
import VectorMemory

/// How an answer was found.
enum SearchExplanation {
    /// For people.
    static func lines(_ reports: [NamespaceReport]) -> [String] {
        let sheets = reports.map { report in
            var sheet = Sheet()
            let times = report.microseconds
            sheet.add("namespace", DisplayText.line(report.namespace))
            sheet.add("index", "\(index(report)), \(time(times.index))")
            sheet.add("filter", report.passed.map { "left \(Figures.count($0)), \(time(times.filter))" })
            sheet.add("scan", report.scan.map { "\(vectors($0)), \(time(times.scan))" })
            sheet.add("words", times.words > 0 ? time(times.words) : nil)
            return sheet.lines
        }
        return Array(sheets.joined(separator: [""]))
    }

    private static func index(_ report: NamespaceReport) -> String {
        let followed = "\(Figures.count(report.followed.new)) new, \(Figures.count(report.followed.gone)) gone"
        return report.isRebuilt ? "read anew, \(followed)" : followed
    }

    private static func vectors(_ scan: ScanReport) -> String {
        let sketched = scan.scan == .full ? "" : ", \(Figures.count(scan.sketched)) left by the sketch"
        return "\(scan.scan.rawValue) on \(Figures.count(scan.threads, "thread")): \(Figures.count(scan.scanned, "vector"))\(sketched), "
            + "\(Figures.count(scan.candidates)) by the codes, \(Figures.count(scan.ranked)) ranked exactly"
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

    private static func time(_ microseconds: Int) -> String { "\(Figures.decimal(Double(microseconds) / 1_000, places: 2)) ms" }
}
