import Foundation
import GRDB
import JobModel

extension QueueStore {
    /// The most vectors of a context that are compared: the newest.
    private static let semanticScan = 10_000

    /// What a score may lack of the threshold: the rounding of Float32.
    private static let tolerance = 1e-6

    /// The cached answer whose prompt is nearest, if it is near enough; one that has expired never is. Of equally near ones the newer.
    /// - Parameters:
    ///   - context: what else the requests must have in common (`ModelRequest.semanticParts`), 32 bytes.
    ///   - model: what made the vectors; those of others, and of another length, are not compared.
    ///   - vector: of any length but 0.
    ///   - threshold: the least cosine.
    /// - Throws: `StoreError`; `conflict`, if the vector has no direction, or holds what is no number.
    public func nearestCacheEntry(context: [UInt8], model: String, vector: [Float], threshold: Double) throws -> SemanticMatch? {
        let vector = try Self.unit(vector)
        let now = clock.wall()
        return try read { database in
            let near = try Self.near(vector, context, model, threshold, database)
            for (id, score) in near.sorted(by: { ($0.score, $0.id) > ($1.score, $1.id) }) {
                let statement = try database.cachedStatement(
                    sql: "SELECT \(CachedReply.columns), digest FROM cache_entries WHERE id = ? AND expires_at > ?")
                guard let row = try Row.fetchOne(statement, arguments: [id, now]) else { continue }
                return SemanticMatch(digest: [UInt8](row[7] as Data), score: score, reply: CachedReply(row))
            }
            return nil
        }
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

    /// The vectors that are near enough.
    private static func near(
        _ vector: UnitVector, _ context: [UInt8], _ model: String, _ threshold: Double, _ database: Database
    ) throws -> [(id: Int64, score: Double)] {
        let statement = try database.cachedStatement(
            sql: "SELECT entry_id, vector FROM cache_vectors WHERE context = ? AND model = ? ORDER BY entry_id DESC LIMIT ?")
        let rows = try Row.fetchCursor(statement, arguments: [Data(context), model, semanticScan])
        var near: [(id: Int64, score: Double)] = []
        while let row = try rows.next() {
            let score = try row.withUnsafeData(atIndex: 1) { data in data?.withUnsafeBytes { vector.cosine($0) } ?? nil }
            if let score, score >= threshold - tolerance { near.append((row[0], score)) }
        }
        return near
    }
}

extension WriteTransaction {
    func rememberVector(digest: [UInt8], context: [UInt8], model: String, _ vector: [UInt8]) throws(SQLFailure) {
        guard let entry = try statement("SELECT id FROM cache_entries WHERE digest = ?").bind(digest).first({ $0.int64(0) }) else { return }
        try countVector(of: entry, by: -1)
        try statement(
            """
            INSERT INTO cache_vectors (entry_id, context, model, vector) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (entry_id) DO UPDATE SET context = ?2, model = ?3, vector = ?4
            """
        ).bind(entry).bind(context).bind(model).bind(vector).run()
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
