import AgentQueueModel
import AgentQueueStore

/// Statistics as JSON. Scripts rely on it: keys may be added but never renamed.
package enum StatsJSON {
    /// Maximum number of unanswered calls that are listed.
    package static let mostDoubtful = 100

    /// - Parameter doubtful: Calls that may have been charged although no answer arrived.
    package static func statistics(_ statistics: Statistics, doubtful: [DoubtfulCall], isAlive: (WorkerSummary) -> Bool) -> JSONValue {
        let totals = TargetTotals.of(statistics.lanes)
        let usage = totals.reduce(Usage()) { $0 + $1.usage }
        return .object([
            .init("states", states(statistics.count)),
            .init("queues", .array(statistics.queues.map(queue))),
            .init("targets", .array(totals.map(target))),
            .init(
                "throughput",
                .object([
                    .init("per_second", .double((Double(statistics.completedLastMinute) / 60 * 1_000).rounded() / 1_000)),
                    .init("completed_last_minute", .integer(Int64(statistics.completedLastMinute))),
                    .init("completed_last_hour", .integer(Int64(statistics.completedLastHour))),
                    .init("discarded_last_hour", .integer(Int64(statistics.discardedLastHour))),
                ])),
            .init(
                "latency_ms",
                .object([
                    .init("p50", integer(statistics.latency?.p50)), .init("p95", integer(statistics.latency?.p95)),
                    .init("p99", integer(statistics.latency?.p99)),
                ])),
            .init("usage", JobJSON.usage(usage)),
            .init("cost_usd", Money.json(TargetTotals(statistics.lanes).cost)),
            .init("unpriced_calls", .integer(Int64(TargetTotals(statistics.lanes).unpricedCalls))),
            .init("saved_usd", Money.json(TargetTotals(statistics.lanes).saved)),
            .init(
                "maybe_paid",
                .object([
                    .init("calls", .integer(Int64(statistics.maybePaidCalls))), .init("usd", Money.json(statistics.maybePaid)),
                    .init("unpriced_calls", .integer(Int64(statistics.maybePaidUnpriced))),
                    .init("jobs", .array(doubtful.map(doubtfulCall))),
                ])),
            .init("providers", .array(statistics.providers.map(ProviderJSON.state))),
            .init("cache", cache(statistics.cache)),
            .init("memories", .integer(Int64(statistics.memories))),
            .init("workers", .array(statistics.workers.map { worker($0, isAlive: isAlive($0)) })),
            .init(
                "database",
                .object([
                    .init("bytes", .integer(statistics.databaseBytes)), .init("wal_bytes", .integer(statistics.walBytes)),
                    .init("free_bytes", .integer(statistics.freeBytes)),
                ])),
        ])
    }

    /// A queue with its jobs' counts.
    package static func queue(_ queue: QueueSummary) -> JSONValue {
        .object([
            .init("name", .string(queue.name)), .init("paused_at", JobJSON.time(queue.pausedAt)), .init("states", states(queue.count)),
        ])
    }

    /// The cache's counts.
    package static func cache(_ cache: CacheStatistics) -> JSONValue {
        .object([
            .init("entries", .integer(Int64(cache.entries))), .init("bytes", .integer(cache.bytes)),
            .init("hits", .integer(Int64(cache.hits))), .init("misses", .integer(Int64(cache.misses))),
            .init("evictions", .integer(Int64(cache.evictions))), .init("coalesced", .integer(Int64(cache.coalesced))),
            .init("saved_usd", Money.json(cache.saved)),
        ])
    }

    /// What pruning removed, or would remove.
    package static func prune(_ report: PruneReport) -> JSONValue {
        .object([
            .init("jobs", .integer(Int64(report.jobs))), .init("runs", .integer(Int64(report.runs))),
            .init("cache_entries", .integer(Int64(report.cacheEntries))), .init("memories", .integer(Int64(report.memories))),
            .init("audit_entries", .integer(Int64(report.auditEntries))), .init("files", .integer(Int64(report.files))),
            .init("client_batches", .integer(Int64(report.clientBatches))),
            .init("bytes_freed", .integer(report.bytesFreed)),
        ])
    }

    private static func states(_ count: (JobState) -> Int) -> JSONValue {
        .object(JobState.allCases.map { .init($0.rawValue, .integer(Int64(count($0)))) })
    }

    private static func target(_ total: TargetTotals) -> JSONValue {
        .object([
            .init("target", .string(total.target)), .init("states", states(total.count)), .init("calls", .integer(Int64(total.calls))),
            .init("usage", JobJSON.usage(total.usage)), .init("cost_usd", Money.json(total.cost)),
            .init("unpriced_calls", .integer(Int64(total.unpricedCalls))),
            .init("cache_answers", .integer(Int64(total.cacheAnswers))), .init("saved_usd", Money.json(total.saved)),
        ])
    }

    private static func worker(_ worker: WorkerSummary, isAlive: Bool) -> JSONValue {
        .object([
            .init("id", .integer(worker.id)), .init("pid", .integer(worker.pid)), .init("started_at", JobJSON.time(worker.startedAt)),
            .init("running", .integer(Int64(worker.running))), .init("alive", .bool(isAlive)),
        ])
    }

    private static func doubtfulCall(_ call: DoubtfulCall) -> JSONValue {
        .object([
            .init("id", .integer(call.jobID)), .init("attempt", .integer(Int64(call.attempt))), .init("target", .string(call.target)),
            .init("at", JobJSON.time(call.at)), .init("cost_usd", Money.json(call.cost)),
        ])
    }

    private static func integer(_ value: Int64?) -> JSONValue {
        value.map(JSONValue.integer) ?? .null
    }
}

/// Totals of one target across queues.
package struct TargetTotals {
    package let target: String
    private let lanes: [LaneSummary]

    /// Sorted by target.
    package static func of(_ lanes: [LaneSummary]) -> [TargetTotals] {
        Dictionary(grouping: lanes, by: \.target).sorted { $0.key < $1.key }.map { TargetTotals($0.value, target: $0.key) }
    }

    /// Totals of several lanes.
    package init(_ lanes: [LaneSummary], target: String = "") {
        self.target = target
        self.lanes = lanes
    }

    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }

    /// Paid calls.
    package var calls: Int { lanes.reduce(0) { $0 + $1.calls } }
    package var unpricedCalls: Int { lanes.reduce(0) { $0 + $1.unpricedCalls } }
    /// The known costs; nil if there are calls and the price of none is known.
    package var cost: Double? { Money.sum(lanes.reduce(0) { $0 + $1.cost }, calls: calls, unpriced: unpricedCalls) }
    package var cacheAnswers: Int { lanes.reduce(0) { $0 + $1.cacheAnswers } }
    package var unpricedAnswers: Int { lanes.reduce(0) { $0 + $1.unpricedAnswers } }
    /// As ``cost``, of the calls that the cache spared.
    package var saved: Double? { Money.sum(lanes.reduce(0) { $0 + $1.saved }, calls: cacheAnswers, unpriced: unpricedAnswers) }
    package var usage: Usage { lanes.reduce(Usage()) { $0 + $1.usage } }
}
