import AgentQueueModel

/// The calls of all time to one target.
package struct TargetCalls: Sendable, Equatable {
    /// What was called: `provider/model`.
    package var target: String
    /// Calls that brought an answer.
    package var answered = 0
    /// Those of them that were made in place of another target.
    package var fallbacks = 0
    /// Calls that brought none.
    package var failed = 0
    package var usage = Usage()
    /// What they cost as far as it is known, in US dollars.
    package var cost = 0.0
}

/// The calls of all time, added up from the hours that they are stored by. The sums of hours that are over are kept, so that each is read
/// once.
package struct CallTotals: Sendable {
    /// Of the hours before ``end``.
    private var past: [String: TargetCalls] = [:]
    private var end: Int64 = 0

    package init() {}

    /// Adds up everything until now.
    mutating func carryOn(to now: Int64, _ reader: ReadConnection) throws(SQLFailure) -> [TargetCalls] {
        let hour = now / 3_600_000
        // The clock was set back: what is counted from now on belongs to hours that were read before.
        if hour < end { self = CallTotals() }
        // A commit that began in the hour before may come after this.
        let over = max(end, hour - 1)
        try Self.add(&past, from: end, until: over, reader)
        end = over
        var all = past
        try Self.add(&all, from: end, until: .max, reader)
        try Self.addFailures(&all, reader)
        return all.values.sorted { $0.target < $1.target }
    }

    private static func add(
        _ totals: inout [String: TargetCalls], from: Int64, until: Int64, _ reader: ReadConnection
    ) throws(SQLFailure) {
        try reader.statement(
            """
            SELECT usage_hours.target, sum(usage_hours.calls),
            sum(CASE WHEN usage_hours.target <> lanes.target THEN usage_hours.calls ELSE 0 END), sum(usage_hours.input_tokens),
            sum(usage_hours.output_tokens), sum(usage_hours.cost_usd)
            FROM usage_hours JOIN lanes ON lanes.id = lane_id WHERE hour >= ? AND hour < ? GROUP BY usage_hours.target
            """
        ).bind(from).bind(until).eachRow { row in
            totals[row.text(0), default: TargetCalls(target: row.text(0))].change { total in
                total.answered += row.int(1)
                total.fallbacks += row.int(2)
                total.usage = total.usage + Usage(inputTokens: row.int(3), outputTokens: row.int(4))
                total.cost += row.double(5)
            }
        }
    }

    /// Among the calls of hours are those that were paid for and brought no answer.
    private static func addFailures(_ totals: inout [String: TargetCalls], _ reader: ReadConnection) throws(SQLFailure) {
        try reader.statement(
            """
            SELECT failed_calls.target, sum(failed_calls.calls), sum(failed_calls.paid),
            sum(CASE WHEN failed_calls.target <> lanes.target THEN failed_calls.paid ELSE 0 END)
            FROM failed_calls JOIN lanes ON lanes.id = lane_id GROUP BY failed_calls.target
            """
        ).eachRow { row in
            totals[row.text(0), default: TargetCalls(target: row.text(0))].change { total in
                total.failed += row.int(1)
                total.answered = max(0, total.answered - row.int(2))
                total.fallbacks = max(0, total.fallbacks - row.int(3))
            }
        }
    }
}

extension TargetCalls {
    fileprivate mutating func change(_ body: (inout TargetCalls) -> Void) { body(&self) }
}
