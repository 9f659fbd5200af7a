import GRDB
import JobModel

/// A provider's batch, as users see it.
public struct ProviderBatchSummary: Sendable, Equatable {
    /// Its number here, never used again.
    public var id: Int64
    /// What its jobs are sent to.
    public var target: String
    /// What its jobs ask.
    public var kind: JobKind
    /// `collecting` (takes jobs), `submitting`, `submitted` (at the provider), `cancelling` or `ended`.
    public var state: String
    /// The provider's name for it; nil until it is known.
    public var remoteID: String?
    /// The jobs that wait for it.
    public var jobs: Int
    /// Wall clock, ms, as all times here.
    public var createdAt: Int64
    /// When the provider took it.
    public var submittedAt: Int64?
    /// When it is to be looked at next.
    public var dueAt: Int64
    /// When the provider ends it at the latest.
    public var expiresAt: Int64?
    /// What went wrong with it last.
    public var error: String?

    static let columns = "id, target, kind, state, remote_id, jobs, created_at, submitted_at, due_at, expires_at, error"

    init(_ row: Row) {
        id = row[0]
        target = row[1]
        kind = JobKind(rawValue: row[2]) ?? .generate
        state = row[3]
        remoteID = row[4]
        jobs = row[5]
        createdAt = row[6]
        submittedAt = row[7]
        dueAt = row[8]
        expiresAt = row[9]
        error = row[10]
    }
}
