import AgentQueueModel

extension JobStore {
    /// Requests that a job's next call be streamed, for someone who wants to read the answer as it arrives. Does nothing if the job has
    /// ended or does not exist.
    package func requestStream(of id: Int64) async throws {
        try await write { transaction in
            _ = try transaction.statement(
                "INSERT INTO streams (job_id) SELECT id FROM jobs WHERE id = ? AND finalized_at IS NULL ON CONFLICT DO NOTHING"
            ).bind(id).run()
        }
    }

    /// Returns the chunks of a job's stream after a sequence number; 0 reads from the beginning.
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
    /// Appends a chunk to a running job's stream and wakes its readers. The first chunk of an attempt discards those of earlier attempts.
    /// All chunks are removed once the job has ended, because its result then holds the whole text.
    /// - Returns: false, with nothing appended, if the lease is lost.
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

    /// Discards the chunks so far, because another call begins the text anew.
    func restartStream(of job: Int64, call: Int64) throws(SQLFailure) {
        let isStreamed = try statement("UPDATE streams SET edition = ? WHERE job_id = ?").bind(call).bind(job).run()
        guard isStreamed == 1 else { return }
        try statement("DELETE FROM stream_chunks WHERE job_id = ?").bind(job).run()
        ledger.ringResults()
    }
}

/// A part of an answer that is read as it arrives.
package struct StreamPage: Sendable, Equatable {
    /// The text, in order.
    package var chunks: [String]
    /// Identifies the call or attempt that the text belongs to; nil if there is none yet. If the number changes, the text begins anew and
    /// what was read before is void.
    package var token: Int64?
    /// The sequence number to continue after: the last chunk's, or the requested one if there is no newer chunk.
    package var lastSequence: Int64
}
