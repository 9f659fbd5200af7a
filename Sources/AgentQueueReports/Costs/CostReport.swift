import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// What was paid, by day, model and so on.
package struct CostReport {
    package let grouping: CostGrouping
    package let rows: [CostSummary]
    /// Calls that may have been paid for although no answer arrived. They are in none of the rows.
    /// Nil if there are no such calls, or none that cost anything.
    private let maybePaid: (cost: Double?, calls: Int, unpriced: Int)?

    package init(_ rows: [CostSummary], by grouping: CostGrouping, _ statistics: Statistics) {
        (self.grouping, self.rows) = (grouping, rows)
        maybePaid =
            statistics.mayHaveBeenCharged ? (statistics.maybePaid, statistics.maybePaidCalls, statistics.maybePaidUnpriced) : nil
    }

    /// All rows together. Nil by tag, where a job may be in several.
    package var total: CostSummary? {
        guard grouping != .tag else { return nil }
        var total = CostSummary(key: .name("total"))
        for row in rows {
            total.calls += row.calls
            total.unpricedCalls += row.unpricedCalls
            total.usage = total.usage + row.usage
            total.known += row.known
        }
        return total
    }

    /// What a reader must know of the rows, in sentences.
    package var notes: [String] {
        var notes: [String] = []
        let unpriced = rows.reduce(0) { $0 + $1.unpricedCalls }
        if unpriced > 0, grouping != .tag {
            notes.append("The price of \(Figures.count(unpriced, "call")) is unknown; set it as 'models: X: price' in the configuration.")
        }
        if let maybePaid {
            let cost = Figures.money(maybePaid.cost, unpriced: maybePaid.unpriced)
            notes.append("Not counted: \(Figures.count(maybePaid.calls, "call")) without an answer that may have been charged (\(cost)).")
        }
        if !grouping.isKeptForever {
            notes.append(
                "Costs by \(grouping.rawValue) are kept while their jobs are, for 90 days at most; by day, hour, model, queue and key for ever."
            )
        }
        if grouping == .key { notes.append("Only the jobs in the queues of keys are counted.") }
        if grouping == .tag { notes.append("A job with several tags is counted for each.") }
        return notes
    }

    /// A row as `--json` prints it.
    package func json(_ row: CostSummary) -> JSONValue {
        var members: [JSONValue.Member] = []
        switch row.key {
        case .time(let time): members.append(.init(grouping.rawValue, .string(text(ofTime: time))))
        case .name(let name): members.append(.init(grouping.rawValue, .string(name)))
        case .run(let id, let name): members += [.init("run", .integer(id)), .init("name", .string(name))]
        }
        return .object(
            members + [
                .init("calls", .integer(Int64(row.calls))), .init("unpriced_calls", .integer(Int64(row.unpricedCalls))),
                .init("usage", JobJSON.usage(row.usage)), .init("cost_usd", Money.json(row.cost)),
            ])
    }

    /// The header of the rows as CSV.
    package var csvHeader: String {
        let key = grouping == .run ? "run,name" : grouping.rawValue
        return "\(key),calls,unpriced_calls,input_tokens,output_tokens,cost_usd"
    }

    /// A row as CSV (RFC 4180). An unknown cost is empty.
    package func csv(_ row: CostSummary) -> String {
        let key: [String] =
            switch row.key {
            case .time(let time): [text(ofTime: time)]
            case .name(let name): [name]
            case .run(let id, let name): ["\(id)", name]
            }
        let numbers = [row.calls, row.unpricedCalls, row.usage.inputTokens, row.usage.outputTokens].map(String.init)
        return (key.map(Self.field) + numbers + [row.cost.map(Money.text) ?? ""]).joined(separator: ",")
    }

    /// A row's day, hour, model and so on, for people.
    package func label(_ row: CostSummary) -> String {
        switch row.key {
        case .time(let time): text(ofTime: time)
        case .name(let name): DisplayText.line(name, limit: 100)
        case .run(let id, let name): "\(id) \(DisplayText.line(name, limit: 100))"
        }
    }

    /// `2026-11-30`, and for an hour `2026-11-30T08:00Z`.
    private func text(ofTime time: Int64) -> String {
        let text = TimeText.format(time)
        return grouping == .day ? String(text.prefix(10)) : "\(text.prefix(16))Z"
    }

    private static func field(_ text: String) -> String {
        let shown = DisplayText.lines(text)
        guard shown.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return shown }
        return "\"\(shown.replacing("\"", with: "\"\""))\""
    }
}
