import AgentQueueModel
import AgentQueueStore

extension BatchSummary {
    /// What it cost in US dollars, as far as prices are known; nil where no price is known.
    package var knownCost: Double? { cost == 0 && unpricedCalls > 0 ? nil : cost }

    /// Such as `40%`; `100%` only if every job has ended.
    package var percentDone: String {
        guard progress.jobs > 0, open > 0 else { return "100%" }
        return "\(min(99, progress.ended * 100 / progress.jobs))%"
    }
}

/// Batches as JSON. Scripts rely on it: keys may be added but never renamed.
package enum BatchJSON {
    package static func batch(_ batch: BatchSummary, now: Int64) -> JSONValue { .object(members(of: batch, now: now)) }

    package static func detail(_ detail: BatchDetail, now: Int64) -> JSONValue {
        let states = JobState.allCases.map { JSONValue.Member($0.rawValue, .integer(Int64(detail.states[$0] ?? 0))) }
        let targets = detail.targets.map { JSONValue.object([.init("target", .string($0.name)), .init("jobs", .integer(Int64($0.jobs)))]) }
        let failures = detail.failures.map {
            JSONValue.object([.init("class", .string($0.failure.rawValue)), .init("jobs", .integer(Int64($0.jobs)))])
        }
        return .object(
            members(of: detail.summary, now: now) + [
                .init("states", .object(states)), .init("targets", .array(targets)), .init("failures", .array(failures)),
            ])
    }

    private static func members(of batch: BatchSummary, now: Int64) -> [JSONValue.Member] {
        let progress = batch.progress
        return [
            .init("batch", .string(batch.name)), .init("created_at", JobJSON.time(batch.createdAt)),
            .init("jobs", .integer(Int64(progress.jobs))), .init("open", .integer(Int64(batch.open))),
            .init("completed", .integer(Int64(progress.completed))), .init("cancelled", .integer(Int64(progress.cancelled))),
            .init("discarded", .integer(Int64(progress.discarded))), .init("usage", JobJSON.usage(batch.usage)),
            .init("cost_usd", Money.json(batch.knownCost)), .init("unpriced_calls", .integer(Int64(batch.unpricedCalls))),
            .init("budget_usd", Money.json(batch.budget)),
            .init("eta", batch.timeLeft(now: now).map { .double(Double($0) / 1_000) } ?? .null),
        ]
    }
}
