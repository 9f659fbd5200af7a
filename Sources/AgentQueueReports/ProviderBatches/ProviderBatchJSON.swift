import AgentQueueModel
import AgentQueueStore

/// Provider batches as JSON.
package enum ProviderBatchJSON {
    package static func batch(_ batch: ProviderBatchSummary) -> JSONValue {
        .object([
            .init("id", .integer(batch.id)), .init("target", .string(batch.target)), .init("kind", .string(batch.kind)),
            .init("state", .string(batch.state.rawValue)), .init("remote_id", JobJSON.string(batch.remoteID)),
            .init("jobs", .integer(Int64(batch.jobs))), .init("open", .integer(Int64(batch.open))),
            .init("created_at", JobJSON.time(batch.createdAt)),
            .init("submitted_at", JobJSON.time(batch.submittedAt)), .init("due_at", JobJSON.time(batch.dueAt)),
            .init("expires_at", JobJSON.time(batch.expiresAt)), .init("ended_at", JobJSON.time(batch.endedAt)),
            .init("error", JobJSON.string(batch.error)),
        ])
    }
}
