import AgentQueueModel

/// What the costs of calls are added up by.
package enum CostGrouping: String, CaseIterable, Sendable {
    case day
    case hour
    /// What was called: `provider/model`.
    case model
    case queue
    /// A key of the gateway: what the jobs in its queues cost.
    case key
    case batch
    case tag
    /// A run of a pipeline.
    case run

    /// Whether the sums are kept for ever. The others are made from the jobs and their charges.
    package var isKeptForever: Bool {
        switch self {
        case .day, .hour, .model, .queue, .key: true
        case .batch, .tag, .run: false
        }
    }
}

/// What some calls cost.
package struct CostSummary: Sendable, Equatable {
    /// What the calls have in common.
    package enum Key: Sendable, Equatable {
        /// The beginning of a day or an hour in UTC (wall clock, in milliseconds).
        case time(Int64)
        /// A model, queue, key, batch or tag.
        case name(String)
        /// A run, with the name of its pipeline.
        case run(Int64, String)
    }

    package var key: Key
    /// The number of calls that were paid for.
    package var calls: Int
    /// How many of them have no known price.
    package var unpricedCalls: Int
    package var usage: Usage
    /// What the others cost, in US dollars.
    package var known: Double

    /// What they cost, as far as it is known; nil if the price of none is known.
    package var cost: Double? { Money.sum(known, calls: calls, unpriced: unpricedCalls) }

    package init(key: Key, calls: Int = 0, unpricedCalls: Int = 0, usage: Usage = Usage(), known: Double = 0) {
        self.key = key
        self.calls = calls
        self.unpricedCalls = unpricedCalls
        self.usage = usage
        self.known = known
    }
}

extension MaintenanceStore {
    /// Returns what calls cost, without those that may have been paid for although no answer arrived. Days and hours are in the order of
    /// time, runs in the order of their ids, the others with the most expensive first. A job with several tags counts for each.
    /// - Parameters:
    ///   - since: wall clock, in milliseconds; by what is kept for ever rounded down to the hour.
    ///   - until: excluded; by what is kept for ever rounded up to the hour.
    package func costs(by grouping: CostGrouping, since: Int64? = nil, until: Int64? = nil) throws -> [CostSummary] {
        try read { reader in
            let hour: Int64 = 3_600_000
            let statement = try reader.statement(grouping.query)
            if grouping.isKeptForever {
                statement.bind((since ?? 0).flooredQuotient(hour)).bind(until.map { ($0 + hour - 1).flooredQuotient(hour) } ?? .max)
            } else {
                statement.bind(since ?? 0).bind(until ?? .max)
            }
            let rows = try statement.all { row in
                CostSummary(
                    key: grouping.key(row), calls: row.int(2), unpricedCalls: row.int(3),
                    usage: Usage(inputTokens: row.int(4), outputTokens: row.int(5)), known: row.double(6))
            }
            return grouping == .key ? try Self.byKey(rows, reader) : rows
        }
    }

    /// Adds up the costs of queues by the keys whose jobs go there. Queues of no key are left out.
    private static func byKey(_ queues: [CostSummary], _ reader: ReadConnection) throws(SQLFailure) -> [CostSummary] {
        var names: [String: [String]] = [:]
        try reader.statement("SELECT DISTINCT name, queue FROM api_keys ORDER BY name").eachRow { row in
            for queue in [row.text(1), APIKey.batchQueue(row.text(1))] { names[queue, default: []].append(row.text(0)) }
        }
        var keys: [String: CostSummary] = [:]
        for row in queues {
            guard case .name(let queue) = row.key, let owners = names[queue] ?? APIKey.name(ofQueue: queue).map({ [$0] }) else { continue }
            // What keys that share a queue cost cannot be told apart.
            let name = owners.joined(separator: ", ")
            keys[name, default: CostSummary(key: .name(name))].add(row)
        }
        return keys.sorted { ($1.value.known, $0.key) < ($0.value.known, $1.key) }.map(\.value)
    }
}

extension CostSummary {
    fileprivate mutating func add(_ other: CostSummary) {
        calls += other.calls
        unpricedCalls += other.unpricedCalls
        usage = usage + other.usage
        known += other.known
    }
}

extension CostGrouping {
    private static let hours = """
        sum(usage_hours.calls), sum(usage_hours.unpriced_calls), sum(usage_hours.input_tokens), sum(usage_hours.output_tokens),
        sum(usage_hours.cost_usd) FROM usage_hours
        """
    private static let charges = """
        sum(charges.calls),
        sum(CASE WHEN charges.unpriced = 1 OR charges.unpriced IS NULL AND charges.cost_usd = 0 THEN charges.calls ELSE 0 END),
        sum(charges.input_tokens), sum(charges.output_tokens), sum(charges.cost_usd) FROM charges
        """
    private static let paid = "WHERE charges.outcome <> 'doubtful' AND charges.at >= ? AND charges.at < ?"

    private static let byDay = SQLText(
        "SELECT hour / 24, '', \(hours) WHERE hour >= ? AND hour < ? GROUP BY hour / 24 ORDER BY hour / 24")
    private static let byHour = SQLText("SELECT hour, '', \(hours) WHERE hour >= ? AND hour < ? GROUP BY hour ORDER BY hour")
    private static let byModel = SQLText(
        "SELECT 0, target, \(hours) WHERE hour >= ? AND hour < ? GROUP BY target ORDER BY sum(usage_hours.cost_usd) DESC, target")
    private static let byQueue = SQLText(
        """
        SELECT 0, queue, \(hours) JOIN lanes ON lanes.id = lane_id WHERE hour >= ? AND hour < ? GROUP BY queue
        ORDER BY sum(usage_hours.cost_usd) DESC, queue
        """)
    private static let byBatch = SQLText(
        """
        SELECT batches.id, batches.name, \(charges) JOIN jobs ON jobs.id = charges.job_id JOIN batches ON batches.id = jobs.batch_id \(paid)
        GROUP BY batches.id, batches.name ORDER BY sum(charges.cost_usd) DESC, batches.name
        """)
    private static let byTag = SQLText(
        """
        SELECT 0, job_tags.tag, \(charges) JOIN job_tags ON job_tags.job_id = charges.job_id \(paid)
        GROUP BY job_tags.tag ORDER BY sum(charges.cost_usd) DESC, job_tags.tag
        """)
    private static let byRun = SQLText(
        """
        SELECT runs.id, runs.name, \(charges) JOIN jobs ON jobs.id = charges.job_id JOIN runs ON runs.id = jobs.run_id \(paid)
        GROUP BY runs.id, runs.name ORDER BY runs.id
        """)

    fileprivate var query: SQLText {
        switch self {
        case .day: Self.byDay
        case .hour: Self.byHour
        case .model: Self.byModel
        case .queue, .key: Self.byQueue
        case .batch: Self.byBatch
        case .tag: Self.byTag
        case .run: Self.byRun
        }
    }

    fileprivate func key(_ row: Statement) -> CostSummary.Key {
        switch self {
        case .day: .time(row.int64(0) * 86_400_000)
        case .hour: .time(row.int64(0) * 3_600_000)
        case .run: .run(row.int64(0), row.text(1))
        case .model, .queue, .key, .batch, .tag: .name(row.text(1))
        }
    }
}
