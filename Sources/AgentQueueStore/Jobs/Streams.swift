import AgentQueueModel

extension JobStore {
    /// Someone wants to read a job's answer while it comes: its next call is streamed. Does nothing where the job has ended, or is
    /// not there.
    package func requestStream(of id: Int64) async throws {
        try await write { transaction in
            _ = try transaction.statement(
                "INSERT INTO streams (job_id) SELECT id FROM jobs WHERE id = ? AND finalized_at IS NULL ON CONFLICT DO NOTHING"
            ).bind(id).run()
        }
    }

    /// What has come of a job's answer after a piece of a number; from the beginning for 0.
    package func stream(of id: Int64, after sequence: Int64) throws -> StreamPage {
        try read { reader in
            let edition = try reader.statement("SELECT edition FROM streams WHERE job_id = ?").bind(id).first { $0.optionalInt64(0) }
            let rows = try reader.statement(
                "SELECT sequence, text FROM stream_chunks WHERE job_id = ? AND sequence > ? ORDER BY sequence"
            ).bind(id).bind(sequence).all { (sequence: $0.int64(0), text: $0.text(1)) }
            return StreamPage(chunks: rows.map(\.text), token: edition ?? nil, lastSequence: rows.last?.sequence ?? sequence)
        }
    }
}

extension ClaimStore {
    /// Adds a piece of text to a running job's stream, and wakes those who read it. The first piece of an attempt voids what came
    /// from earlier ones. All of it is gone once the job has ended: then its result holds the whole.
    /// - Returns: false where the lease is lost, and nothing was added.
    package func appendStream(_ lease: Lease, _ text: String) async throws -> Bool {
        try await write { try $0.appendStream(lease, text) }
    }
}

extension WriteTransaction {
    func appendStream(_ lease: Lease, _ text: String) throws(SQLFailure) -> Bool {
        let holds = try statement("SELECT 1 FROM jobs WHERE id = ? AND +state = 'running' AND token = ?")
            .bind(lease.jobID).bind(lease.token).first { _ in true }
        guard holds == true else { return false }
        try statement("INSERT INTO streams (job_id) VALUES (?) ON CONFLICT DO NOTHING").bind(lease.jobID).run()
        let begins = try statement("UPDATE streams SET token = ?2, edition = ?2 WHERE job_id = ?1 AND token IS DISTINCT FROM ?2")
            .bind(lease.jobID).bind(lease.token).run()
        if begins == 1 { try statement("DELETE FROM stream_chunks WHERE job_id = ?").bind(lease.jobID).run() }
        try statement(
            "INSERT INTO stream_chunks (job_id, sequence, text) SELECT job_id, sequence + 1, ? FROM streams WHERE job_id = ?"
        ).bind(text).bind(lease.jobID).run()
        try statement("UPDATE streams SET sequence = sequence + 1 WHERE job_id = ?").bind(lease.jobID).run()
        ledger.ringResults()
        return true
    }

    /// The text of an attempt begins anew, as another call's.
    func restartStream(of job: Int64, call: Int64) throws(SQLFailure) {
        let isStreamed = try statement("UPDATE streams SET edition = ? WHERE job_id = ?").bind(call).bind(job).run()
        guard isStreamed == 1 else { return }
        try statement("DELETE FROM stream_chunks WHERE job_id = ?").bind(job).run()
        ledger.ringResults()
    }
}

/// A part of an answer, read while it comes.
package struct StreamPage: Sendable, Equatable {
    /// The pieces of text, in order.
    package var chunks: [String]
    /// Which attempt's text it is; nil where there is none yet. Another number than before says that the text begins anew: what was
    /// read is void.
    package var token: Int64?
    /// The number of the last piece, to go on after; what was asked for, where there is no newer.
    package var lastSequence: Int64
}
