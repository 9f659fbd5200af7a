import GRDB
import JobModel

extension QueueStore {
    /// Looks at the prompts of cached answers as they are now.
    /// - Parameters:
    ///   - context: what else the requests have in common (`ModelRequest.semanticParts`), 32 bytes.
    ///   - model: what made their vectors.
    /// - Throws: `StoreError`, and what the body throws.
    public func readPrompts<Value>(context: [UInt8], model: String, _ body: (PromptSnapshot) throws -> Value) throws -> Value {
        let now = clock.wall()
        return try read { try body(PromptSnapshot($0, context: context, model: model, now: now)) }
    }

    /// Notes where the prompt of a cached answer lies. Nothing happens where the cache does not hold that answer.
    /// - Parameter digest: the cache key of the request, 32 bytes.
    /// - Throws: `StoreError`; `conflict`, if the vector has no direction, or holds what is no number.
    public func rememberVector(digest: [UInt8], context: [UInt8], model: String, vector: [Float]) async throws {
        let bytes = try Self.unit(vector).bytes
        try await write { try $0.rememberVector(digest: digest, context: context, model: model, bytes) }
    }

    private static func unit(_ vector: [Float]) throws -> UnitVector {
        guard let unit = UnitVector(vector) else {
            throw StoreError(.conflict, "the embedding model's vector of \(vector.count) values has no direction")
        }
        return unit
    }
}

extension WriteTransaction {
    func rememberVector(digest: [UInt8], context: [UInt8], model: String, _ vector: [UInt8]) throws(SQLFailure) {
        guard let entry = try statement("SELECT id FROM cache_entries WHERE digest = ?").bind(digest).first({ $0.int64(0) }) else { return }
        try countVector(of: entry, by: -1)
        let number = try statement("UPDATE counters SET value = value + 1 WHERE name = 'cache_vectors' RETURNING value")
            .first { $0.int64(0) }
        try statement(
            """
            INSERT INTO cache_vectors (entry_id, context, model, vector, number) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (entry_id) DO UPDATE SET context = ?2, model = ?3, vector = ?4, number = ?5
            """
        ).bind(entry).bind(context).bind(model).bind(vector).bind(number ?? 0).run()
        try countVector(of: entry, by: 1)
    }

    /// Adds the room of an entry's vector, its row and its place in the index included, to the entry's, or takes it away.
    private func countVector(of entry: Int64, by sign: Int64) throws(SQLFailure) {
        let room = try statement("SELECT length(vector) + 2 * length(model) + 128 FROM cache_vectors WHERE entry_id = ?")
            .bind(entry).first { $0.int64(0) }
        guard let room else { return }
        try statement("UPDATE cache_entries SET bytes = bytes + ? WHERE id = ?").bind(sign * room).bind(entry).run()
        ledger.count(.cacheBytes, by: sign * room)
    }

    /// Writes the result of a job that a near prompt's answer serves.
    func complete(_ job: Int64, lane: Int64, from match: SemanticMatch) throws(SQLFailure) {
        let cached = match.reply
        try statement(
            """
            INSERT INTO results (job_id, reply, answered_by, target, input_tokens, output_tokens, cost_usd, latency_ms)
            VALUES (?, ?, 'cache', ?, ?, ?, 0, 0)
            """
        ).bind(job).bind(match.shownReply).bind(cached.target).bind(cached.inputTokens).bind(cached.outputTokens).run()
        try statement("UPDATE cache_entries SET hits = hits + 1, last_used_at = ? WHERE digest = ?").bind(now).bind(match.digest).run()
        ledger.save(lane: lane, cost: cached.cost)
    }
}
