import AgentQueueModel

extension CacheStore {
    /// Reads the prompts of cached answers from a snapshot.
    /// - Parameters:
    ///   - context: the digest of everything else that the requests must have in common (`ModelRequest.semanticParts`), 32 bytes.
    ///   - model: the model that embedded the prompts.
    /// - Throws: `StoreError`, and what the body throws.
    package func withPrompts<Value>(context: [UInt8], model: String, _ body: (PromptSnapshot) throws -> Value) throws -> Value {
        let now = clock.wall()
        return try read { try body(PromptSnapshot($0, context: context, model: model, now: now)) }
    }

    /// Stores the vector of a cached answer's prompt. Does nothing if the cache does not hold the answer.
    /// - Parameter digest: the cache key of the request, 32 bytes.
    /// - Throws: `StoreError`; `conflict` if the vector has no direction or has a value that is not a number.
    package func rememberVector(digest: [UInt8], context: [UInt8], model: String, vector: [Float]) async throws {
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

    /// Adds the size of an entry's vector, including its row and index entry, to the entry's size, or subtracts it.
    private func countVector(of entry: Int64, by sign: Int64) throws(SQLFailure) {
        let room = try statement("SELECT length(vector) + 2 * length(model) + 128 FROM cache_vectors WHERE entry_id = ?")
            .bind(entry).first { $0.int64(0) }
        guard let room else { return }
        try statement("UPDATE cache_entries SET bytes = bytes + ? WHERE id = ?").bind(sign * room).bind(entry).run()
        ledger.count(.cacheBytes, by: sign * room)
    }

    /// Writes the result of a job that is answered by the reply to a similar prompt, and counts the use.
    func complete(_ job: Int64, lane: Int64, from match: SemanticMatch) throws(SQLFailure) {
        let cached = match.reply
        let usage = Usage(inputTokens: cached.inputTokens, outputTokens: cached.outputTokens)
        try writeResult(of: job, reply: match.shownReply, by: .cache, target: cached.target, usage: usage)
        try statement("UPDATE cache_entries SET hits = hits + 1, last_used_at = ? WHERE digest = ?").bind(now).bind(match.digest).run()
        ledger.save(lane: lane, cost: cached.cost)
    }
}

/// A cached answer to a similar prompt.
package struct SemanticMatch: Sendable, Equatable {
    /// The cache key of the request that was answered, 32 bytes.
    package var digest: [UInt8]
    /// The cosine similarity of the two prompts' vectors, at most 1.
    package var score: Double
    /// The answer to that request.
    package var reply: CachedReply

    package init(digest: [UInt8], score: Double, reply: CachedReply) {
        self.digest = digest
        self.score = score
        self.reply = reply
    }

    /// The reply as stored for the job that it answers. It has a member `semantic` with the score and the first twelve digits of the
    /// entry's digest. A reply that is not a JSON object is left as it is.
    package var shownReply: String {
        guard let members = try? JSONValue.parse(reply.reply).members else { return reply.reply }
        let entry = Hexadecimal.text(digest.prefix(6))
        let semantic = JSONValue.object([.init("entry", .string(entry)), .init("score", .double((score * 10_000).rounded() / 10_000))])
        return JSONValue.object(members.filter { $0.key != "semantic" } + [.init("semantic", semantic)]).text
    }
}

/// A snapshot of the comparable prompts of cached answers. Valid only within the body of `withPrompts`, on its thread.
package final class PromptSnapshot {
    private let reader: ReadConnection
    private let context: [UInt8]
    private let model: String
    private let now: Int64

    init(_ reader: ReadConnection, context: [UInt8], model: String, now: Int64) {
        self.reader = reader
        self.context = context
        self.model = model
        self.now = now
    }

    /// Passes the vectors with numbers after `number`, in ascending order, each with its entry. An entry's earlier vectors are void. The
    /// bytes are Float32, little-endian, and valid during the call.
    package func vectors(
        after number: Int64, _ body: (_ number: Int64, _ entry: Int64, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try reader.statement(
            "SELECT number, entry_id, vector FROM cache_vectors WHERE context = ? AND model = ? AND number > ? ORDER BY number"
        ).bind(context).bind(model).bind(number).eachRow { try body($0.int64(0), $0.int64(1), $0.blobBytes(2)) }
    }

    /// Passes the vectors with these numbers and skips those that no longer exist. The bytes are Float32, little-endian, and valid during
    /// the call.
    package func vectors(_ numbers: [Int64], _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void) throws {
        let statement = try reader.statement("SELECT vector FROM cache_vectors WHERE context = ? AND model = ? AND number = ?")
        for (index, number) in numbers.enumerated() {
            try statement.bind(context).bind(model).bind(number).eachRow { try body(index, $0.blobBytes(0)) }
        }
    }

    /// Returns the answer to the prompt of a vector, with the given score; nil if the vector no longer exists or the answer has expired.
    package func answer(_ number: Int64, score: Double) throws -> SemanticMatch? {
        try reader.statement(
            """
            SELECT reply, target, input_tokens, output_tokens, cost_usd, created_at, expires_at, unpriced, digest
            FROM cache_vectors JOIN cache_entries ON id = entry_id
            WHERE context = ? AND model = ? AND number = ? AND +expires_at > ?
            """
        ).bind(context).bind(model).bind(number).bind(now).first {
            SemanticMatch(digest: $0.blob(8), score: score, reply: CachedReply($0))
        }
    }

    /// Returns whether the vector with this number still exists.
    package func has(_ number: Int64) throws -> Bool {
        try reader.statement("SELECT 1 FROM cache_vectors WHERE context = ? AND model = ? AND number = ?")
            .bind(context).bind(model).bind(number).first { _ in true } ?? false
    }
}

/// A vector of length 1 in its stored form.
struct UnitVector {
    /// Float32 values, little-endian.
    let bytes: [UInt8]

    /// Normalizes a vector to length 1. Nil if it has no direction: it is empty, all zeros, or has a value that is not a number.
    init?(_ vector: [Float]) {
        let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard square > 0, square.isFinite else { return nil }
        let length = square.squareRoot()
        bytes = vector.flatMap { value in withUnsafeBytes(of: Float(Double(value) / length).bitPattern.littleEndian) { Array($0) } }
    }
}
