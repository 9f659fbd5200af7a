import GRDB
import JobModel

extension ProviderBatch {
    static let columns: StaticString = """
        id, target, kind, label, created_at, state, is_closed, remote_id, is_certain, excluded, rest, jobs, inputs, bytes, submitting_at,
        unsettled_until, submitted_at, expires_at, due_at, looks, failures, urgent_at, worker_id, token, lease_expires_at, error,
        EXISTS (SELECT 1 FROM provider_batch_jobs INDEXED BY provider_batch_jobs_waiting
                WHERE batch_id = provider_batches.id AND is_given_up = 0)
        OR EXISTS (SELECT 1 FROM provider_batch_jobs CROSS JOIN followers ON followers.digest = provider_batch_jobs.digest
                   WHERE batch_id = provider_batches.id) AS is_wanted,
        EXISTS (SELECT 1 FROM lanes WHERE lanes.target = provider_batches.target AND lanes.kind = provider_batches.kind
                AND available > 0) AS has_more
        """

    init(_ row: Row) throws {
        guard let target = Target(row["target"] as String), let kind = JobKind(rawValue: row["kind"]),
            let state = State(rawValue: row["state"])
        else { throw StoreError(.corrupt, "provider batch \(row["id"] as Int64) is damaged; run 'agent-queue database check'") }
        id = row["id"]
        self.target = target
        self.kind = kind
        label = row["label"]
        createdAt = row["created_at"]
        self.state = state
        isClosed = row["is_closed"]
        remoteID = row["remote_id"]
        isCertain = row["is_certain"]
        excluded = (try? JSONValue.parse(row["excluded"] as String))?.array?.compactMap(\.string) ?? []
        rest = (row["rest"] as String?).flatMap(Rest.init(rawValue:))
        jobs = row["jobs"]
        inputs = row["inputs"]
        bytes = row["bytes"]
        submittingAt = row["submitting_at"]
        unsettledUntil = row["unsettled_until"]
        submittedAt = row["submitted_at"]
        expiresAt = row["expires_at"]
        dueAt = row["due_at"]
        looks = row["looks"]
        failures = row["failures"]
        urgentAt = row["urgent_at"]
        if let token = row["token"] as Int64? {
            owner = Owner(worker: row["worker_id"] ?? 0, token: token, leaseExpiresAt: row["lease_expires_at"] ?? 0)
        }
        error = row["error"]
        isWanted = row["is_wanted"]
        hasMore = row["has_more"]
    }

    var excludedText: String { JSONValue.array(excluded.map { .string($0) }).text }
}
