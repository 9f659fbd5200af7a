import AgentQueueModel
import GRDBSQLite

@testable import AgentQueueStore

/// Reads all that the reference model knows from a database, fast: it is done after every step.
final class StoredQueue {
    private let handle: OpaquePointer
    private let jobsStatement: Statement
    private let dependenciesStatement: Statement
    private let cascadesStatement: Statement
    private let lanesStatement: Statement
    private let countsStatement: Statement
    private let resultsStatement: Statement
    private let followersStatement: Statement
    private let landingsStatement: Statement

    /// A job's row, with what the model can know of it.
    struct Row: Equatable {
        var id: Int64
        var state: JobState?
        var attempt: Int
        var crashes: Int
        var token: Int64?
        var worker: Int64?
        var lease: Int64?
        var scheduledAt: Int64
        var finalizedAt: Int64?
        var expiresAt: Int64?
        var cancelRequestedAt: Int64?
        var cancelledThrough: Int64?
    }

    struct Edge: Equatable {
        var job: Int64
        var dependsOn: Int64
        var isMet: Bool
    }

    init(_ path: String) throws {
        var handle: OpaquePointer?
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let handle else {
            throw RawConnection.Failure(message: "cannot open \(path)")
        }
        self.handle = handle
        sqlite3_busy_timeout(handle, 10_000)
        sqlite3_wal_autocheckpoint(handle, 0)
        jobsStatement = try Statement(
            """
            SELECT id, state, attempt, crashes, token, worker_id, lease_expires_at, scheduled_at, finalized_at, expires_at,
            cancel_requested_at, cancelled_through FROM jobs ORDER BY id
            """, on: handle)
        dependenciesStatement = try Statement("SELECT job_id, depends_on, met FROM dependencies ORDER BY job_id, depends_on", on: handle)
        cascadesStatement = try Statement("SELECT job_id FROM cascades", on: handle)
        lanesStatement = try Statement(
            "SELECT queue, target, pending, scheduled, available, running, retryable, completed, cancelled, discarded FROM lanes",
            on: handle)
        countsStatement = try Statement(
            "SELECT (SELECT value FROM counters WHERE name = 'token'), (SELECT count(*) FROM results)", on: handle)
        resultsStatement = try Statement("SELECT job_id, answered_by FROM results", on: handle)
        followersStatement = try Statement("SELECT job_id, digest FROM followers", on: handle)
        landingsStatement = try Statement("SELECT digest FROM landings", on: handle)
    }

    deinit { sqlite3_close_v2(handle) }

    func jobs() throws -> [Row] {
        try jobsStatement.all {
            Row(
                id: $0.int64(0), state: JobState(rawValue: $0.text(1)), attempt: $0.int(2), crashes: $0.int(3), token: $0.optionalInt64(4),
                worker: $0.optionalInt64(5), lease: $0.optionalInt64(6), scheduledAt: $0.int64(7), finalizedAt: $0.optionalInt64(8),
                expiresAt: $0.optionalInt64(9), cancelRequestedAt: $0.optionalInt64(10), cancelledThrough: $0.optionalInt64(11))
        }
    }

    func dependencies() throws -> [Edge] {
        try dependenciesStatement.all { Edge(job: $0.int64(0), dependsOn: $0.int64(1), isMet: $0.int64(2) == 1) }
    }

    func cascades() throws -> Set<Int64> { Set(try cascadesStatement.all { $0.int64(0) }) }

    /// Queue and target, and the counts by state.
    func lanes() throws -> [(name: String, counts: [Int])] {
        try lanesStatement.all { row in (row.text(0) + " " + row.text(1), (2..<10).map { row.int($0) }) }
    }

    /// The counter that tokens come from, and how many results there are.
    func counts() throws -> (token: Int64, results: Int) {
        try countsStatement.first { ($0.int64(0), $0.int(1)) } ?? (0, 0)
    }

    /// What answered each completed job.
    func results() throws -> [Int64: AnsweredBy] {
        Dictionary(uniqueKeysWithValues: try resultsStatement.all { ($0.int64(0), AnsweredBy(rawValue: $0.text(1)) ?? .fallback) })
    }

    /// The jobs that wait for another's answer, and the digest of each.
    func followers() throws -> [Int64: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try followersStatement.all { ($0.int64(0), $0.blob(1)) })
    }

    /// The digests of the answers that have yet to be handed to all who wait for them.
    func landings() throws -> Set<[UInt8]> { Set(try landingsStatement.all { $0.blob(0) }) }

    /// Forgets which lane was served when, so that a sequence does not depend on those before it.
    func forgetServed() throws { sqlite3_exec(handle, "UPDATE lanes SET served = 0", nil, nil, nil) }
}

extension ReferenceJob {
    var row: StoredQueue.Row {
        StoredQueue.Row(
            id: id, state: state, attempt: attempt, crashes: crashes, token: token, worker: worker, lease: lease, scheduledAt: scheduledAt,
            finalizedAt: finalizedAt, expiresAt: expiresAt, cancelRequestedAt: cancelRequestedAt, cancelledThrough: cancelledThrough)
    }
}
