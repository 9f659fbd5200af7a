import AgentQueueModel
import Foundation

extension WriteTransaction {
    /// The body of a notification. It contains no prompt and no answer.
    func body(of kind: NotificationKind, _ id: Int64) throws(SQLFailure) -> JSONValue {
        let particulars =
            switch kind {
            case .job: try jobParticulars(id)
            case .batch: try batchParticulars(id)
            case .run: try runParticulars(id)
            }
        return .object([.init("kind", .string(kind.rawValue)), .init("id", .integer(id))] + particulars)
    }

    /// The known part of a cost; null if nothing of it is known.
    private static func cost(_ row: Statement, _ column: CInt, unpriced: CInt) -> JSONValue {
        Money.json(row.double(unpriced) > 0 && row.double(column) == 0 ? nil : row.double(column))
    }

    private func jobParticulars(_ id: Int64) throws(SQLFailure) -> [JSONValue.Member] {
        try statement(
            """
            SELECT state, lanes.queue, lanes.target, batches.name, custom_id, attempt,
            coalesce(results.cost_usd, 0) + (SELECT total(cost_usd) FROM job_errors WHERE job_id = jobs.id),
            coalesce(finalized_at, ?1), coalesce(results.unpriced, 0) + (SELECT total(unpriced) FROM job_errors WHERE job_id = jobs.id)
            FROM jobs JOIN lanes ON lanes.id = lane_id JOIN requests ON requests.job_id = jobs.id
            LEFT JOIN results ON results.job_id = jobs.id LEFT JOIN batches ON batches.id = batch_id WHERE jobs.id = ?2
            """
        ).bind(now).bind(id).first { row in
            [
                .init("state", .string(row.text(0))), .init("queue", .string(row.text(1))), .init("target", .string(row.text(2))),
                .init("batch", row.optionalText(3).map(JSONValue.string) ?? .null),
                .init("custom_id", row.optionalText(4).map(JSONValue.string) ?? .null), .init("attempts", .integer(row.int64(5))),
                .init("cost_usd", Self.cost(row, 6, unpriced: 8)), .init("finished_at", .string(TimeText.format(row.int64(7)))),
            ]
        } ?? []
    }

    private func batchParticulars(_ id: Int64) throws(SQLFailure) -> [JSONValue.Member] {
        try statement(
            """
            SELECT name, CASE WHEN completed = jobs THEN 'completed' ELSE 'failed' END, jobs, completed, cancelled, discarded,
            (SELECT total(cost_usd) FROM jobs JOIN results ON results.job_id = jobs.id WHERE batch_id = batches.id)
            + (SELECT total(cost_usd) FROM jobs JOIN job_errors ON job_errors.job_id = jobs.id WHERE batch_id = batches.id),
            unpriced_calls FROM batches WHERE id = ?
            """
        ).bind(id).first { row in
            [
                .init("name", .string(row.text(0))), .init("state", .string(row.text(1))), .init("jobs", .integer(row.int64(2))),
                .init("completed", .integer(row.int64(3))), .init("cancelled", .integer(row.int64(4))),
                .init("discarded", .integer(row.int64(5))), .init("cost_usd", Self.cost(row, 6, unpriced: 7)),
                .init("finished_at", .string(TimeText.format(now))),
            ]
        } ?? []
    }

    private func runParticulars(_ id: Int64) throws(SQLFailure) -> [JSONValue.Member] {
        try statement(
            """
            SELECT name, state, (SELECT count(*) FROM run_steps WHERE run_id = runs.id),
            (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'completed'),
            (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'failed'),
            (SELECT total(cost_usd) FROM jobs JOIN results ON results.job_id = jobs.id WHERE run_id = runs.id)
            + (SELECT total(cost_usd) FROM jobs JOIN job_errors ON job_errors.job_id = jobs.id WHERE run_id = runs.id),
            coalesce(finalized_at, ?1),
            (SELECT total(unpriced) FROM jobs JOIN results ON results.job_id = jobs.id WHERE run_id = runs.id)
            + (SELECT total(unpriced) FROM jobs JOIN job_errors ON job_errors.job_id = jobs.id WHERE run_id = runs.id)
            FROM runs WHERE id = ?2
            """
        ).bind(now).bind(id).first { row in
            [
                .init("name", .string(row.text(0))), .init("state", .string(row.text(1))), .init("calls", .integer(row.int64(2))),
                .init("completed", .integer(row.int64(3))), .init("failed", .integer(row.int64(4))),
                .init("cost_usd", Self.cost(row, 5, unpriced: 7)), .init("finished_at", .string(TimeText.format(row.int64(6)))),
            ]
        } ?? []
    }
}
