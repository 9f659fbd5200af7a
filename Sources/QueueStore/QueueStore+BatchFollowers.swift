import JobModel

/// HOOK (coalescing): both are stand-ins. An answer should land with those who wait for it (`land`), and a failure should promote one
/// of them (`promoteFollowers`); here each is made available, and finds the answer in the cache, or joins the next batch.
extension WriteTransaction {
    /// An item of a batch was answered, and others may wait for the same.
    func batchItemAnswered(_ digest: [UInt8]) throws(SQLFailure) { try releaseFollowers(of: digest) }

    /// An item of a batch ended without an answer, and others may wait for the same.
    func batchItemFailed(_ digest: [UInt8]) throws(SQLFailure) { try releaseFollowers(of: digest) }

    private func releaseFollowers(of digest: [UInt8]) throws(SQLFailure) {
        let ids = try statement("DELETE FROM followers WHERE digest = ? RETURNING job_id").bind(digest).all { $0.int64(0) }
        for id in ids {
            let row = try statement(
                "UPDATE jobs SET state = 'available', scheduled_at = ? WHERE id = ? AND state = 'pending' RETURNING lane_id, batch_id"
            ).bind(now).bind(id).first { ($0.int64(0), $0.optionalInt64(1)) }
            if let (lane, batch) = row { ledger.move(lane: lane, batch: batch, from: .pending, to: .available) }
        }
    }
}
