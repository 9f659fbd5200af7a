import AgentQueueMemory
import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// The cache by nearness of meaning, as the store keeps it.
@Suite struct SemanticCacheTests {
    private let context = [UInt8](repeating: 7, count: 32)
    private let model = "local/e"

    /// Answers a question, keeping the answer and its vector. Returns its digest.
    @discardableResult
    private func keep(
        _ f: Fixture, _ name: String, _ vector: [Float], for timeToLive: Int64 = 1_000_000, context: [UInt8]? = nil, model: String? = nil
    ) async throws -> [UInt8] {
        let job = NewJob.with(.asking(name)) {
            $0.useCache = false
            $0.priority = 1
        }
        try await f.add(job)
        _ = try await f.complete(f.one(), name, cacheFor: timeToLive)
        try await f.store.cache.rememberVector(
            digest: job.digest, context: context ?? self.context, model: model ?? self.model, vector: vector)
        return job.digest
    }

    /// By an index that is made for it.
    private func nearest(_ f: Fixture, _ vector: [Float], _ threshold: Double = 0.9) async throws -> SemanticMatch? {
        try await nearest(NearestAnswers(f.store), vector, threshold)
    }

    private func nearest(_ answers: NearestAnswers, _ vector: [Float], _ threshold: Double = 0.9) async throws -> SemanticMatch? {
        try await answers.nearest(context: context, model: model, vector: vector, threshold: threshold)
    }

    @Test func theNearestAnswers() async throws {
        try await withStore { f in
            #expect(try await nearest(f, [1, 0]) == nil)
            try await keep(f, "a", [1, 0])
            let second = try await keep(f, "b", [30, 40])  // of length 50: stored with length 1
            try await keep(f, "c", [-1, 0])
            let match = try #require(try await nearest(f, [0.03, 0.04]))
            #expect(match.digest == second && match.reply.reply.contains("\"b\""))
            #expect(match.score > 0.999999 && match.score <= 1)
            #expect(try await nearest(f, [0, -1]) == nil)
            #expect(try await nearest(f, [0, -1], -1) != nil)
        }
    }

    @Test func theThresholdIsMet() async throws {
        try await withStore { f in
            try await keep(f, "a", [1, 0])
            let match = try #require(try await nearest(f, [3, 4], 0.6))
            #expect(abs(match.score - 0.6) < 1e-6)
            #expect(try await nearest(f, [3, 4], 0.600_01) == nil)
            #expect(try await nearest(f, [3, 4], 0.599_99) != nil)
            // The same direction is near enough for any threshold, whatever the rounding.
            let vector: [Float] = (0..<384).map { Float($0 * 7_919 % 1_000) / 999 - 0.5 }
            try await keep(f, "b", vector)
            #expect(try await nearest(f, vector.map { $0 * 0.37 }, 1) != nil)
        }
    }

    @Test func onlyWhatBelongsTogetherIsCompared() async throws {
        try await withStore { f in
            var other = context
            other[31] ^= 1
            try await keep(f, "another context", [1, 0], context: other)
            try await keep(f, "another model", [1, 0], model: "local/f")
            try await keep(f, "another length", [1, 0, 0])
            #expect(try await nearest(f, [1, 0], -1) == nil)
            try await keep(f, "a", [1, 0])
            #expect(try await nearest(f, [1, 0], -1)?.reply.reply.contains("\"a\"") == true)
        }
    }

    @Test func whatHasExpiredOrIsDeletedNeverAnswers() async throws {
        try await withStore { f in
            let first = try await keep(f, "a", [1, 0], for: 100)
            let second = try await keep(f, "b", [1, 0.1])
            #expect(try await nearest(f, [1, 0])?.digest == first)
            f.clock.wall += 100
            #expect(try await nearest(f, [1, 0])?.digest == second, "the next nearest, while the other still lies there")
            #expect(try await f.store.cache.delete(second))
            #expect(try await nearest(f, [1, 0]) == nil)
            #expect(try f.count(of: "cache_vectors") == 1)
            #expect(try await f.store.cache.clear() == 1)
            #expect(try f.count(of: "cache_vectors") == 0)
            #expect(try f.store.cache.statistics().bytes == 0)
        }
    }

    @Test func aVectorTakesRoom() async throws {
        try await withStore { f in
            let digest = try await keep(f, "a", [1, 0])
            let bytes = try f.store.cache.statistics().bytes
            let own = try #require(try f.store.cache.reply(digest)).reply.utf8.count + "local/m".utf8.count + 160
            #expect(bytes == Int64(own + 2 * 4 + 2 * model.utf8.count + 128))
            try await f.store.cache.rememberVector(digest: digest, context: context, model: model, vector: [1, 0, 0])
            #expect(try f.store.cache.statistics().bytes == bytes + 4)
            // Answered anew, the entry keeps its vector, and its room.
            try await f.add(NewJob.with(.asking("a")) { $0.useCache = false })
            _ = try await f.complete(f.one(), "longer", cacheFor: 1_000)
            #expect(try f.store.cache.statistics().bytes == bytes + 4 + 5)
            #expect(try await nearest(f, [1, 0, 0]) != nil)
        }
    }

    @Test func whatTheCacheDoesNotHoldIsNotRemembered() async throws {
        try await withStore { f in
            try await f.store.cache.rememberVector(
                digest: [UInt8](repeating: 1, count: 32), context: context, model: model, vector: [1])
            #expect(try f.count(of: "cache_vectors") == 0)
        }
    }

    @Test(arguments: [[], [0, 0], [.nan, 1], [.infinity, 1], [1, -.infinity]] as [[Float]])
    func aVectorWithoutDirectionIsRefused(_ vector: [Float]) async throws {
        try await withStore { f in
            let digest = try await keep(f, "a", [1, 0])
            let context = context
            let error = await storeError {
                try await f.store.cache.rememberVector(digest: digest, context: context, model: "local/e", vector: vector)
            }
            #expect(error?.kind == .conflict)
            await #expect(throws: VectorError.self) { try await nearest(f, vector, -1) }
        }
    }

    @Test func allAreCompared() async throws {
        try await withStore(durability: .normal) { f in
            let answers = NearestAnswers(f.store)
            let first = try await keep(f, "a", [1, 0])
            #expect(try await nearest(answers, [1, 0])?.digest == first)
            let raw = try f.raw()
            // As many entries whose prompts lie elsewhere.
            try raw.run(
                """
                WITH RECURSIVE number(n) AS (SELECT (SELECT max(id) FROM cache_entries) + 1 UNION ALL SELECT n + 1 FROM number LIMIT 30000)
                INSERT INTO cache_entries (id, digest, target, reply, bytes, created_at, expires_at, last_used_at)
                SELECT n, randomblob(32), 'local/m', '{}', 1, 0, 0, 0 FROM number;
                INSERT INTO cache_vectors (entry_id, context, model, vector, number)
                SELECT id, (SELECT context FROM cache_vectors LIMIT 1), '\(model)', x'000000000000803f', id
                FROM cache_entries WHERE id NOT IN (SELECT entry_id FROM cache_vectors);
                """)
            #expect(try await nearest(answers, [1, 0])?.digest == first)
            #expect(try await nearest(f, [1, 0])?.digest == first)
            #expect(try await nearest(answers, [0, 1]) == nil, "what has expired does not answer, however much of it there is")
            try raw.run(
                """
                DELETE FROM cache_vectors; DELETE FROM cache_entries WHERE bytes = 1;
                UPDATE counters SET value = (SELECT sum(bytes) FROM cache_entries) WHERE name = 'cache_bytes'
                """)
        }
    }

    @Test func anIndexFollowsWhatOthersKeep() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            let answers = NearestAnswers(f.store)
            let first = try await keep(f, "a", [1, 0])
            #expect(try await nearest(answers, [1, 0])?.digest == first)
            // An entry that is kept already gets another vector, or its first.
            try await other.cache.rememberVector(digest: first, context: context, model: model, vector: [0, 1])
            #expect(try await nearest(answers, [1, 0]) == nil)
            #expect(try await nearest(answers, [0, 1])?.digest == first)
            // Its place is taken by a new one of the same id.
            #expect(try await other.cache.delete(first))
            #expect(try await nearest(answers, [0, 1]) == nil)
            let second = try await keep(f, "b", [1, 1])
            #expect(try f.raw().int("SELECT max(entry_id) FROM cache_vectors") == 1)
            #expect(try await nearest(answers, [1, 1])?.digest == second)
            #expect(try await nearest(answers, [0, 1]) == nil)
            // Of the same prompt the newer answers.
            let third = try await keep(f, "c", [2, 2])
            #expect(try await nearest(answers, [1, 1])?.digest == third)
            #expect(try await other.cache.clear() == 2)
            #expect(try await nearest(answers, [1, 1]) == nil)
            #expect(answers.size.indexes == 1)
        }
    }

    @Test func whatIsGoneInMassesIsForgotten() async throws {
        try await withStore(durability: .normal) { f in
            let answers = NearestAnswers(f.store)
            for place in 0..<200 { try await keep(f, "m\(place)", [1, Float(place) / 1_000]) }
            #expect(try await nearest(answers, [1, 0])?.reply.reply.contains("\"m0\"") == true)
            let full = answers.size.bytes
            #expect(try await f.store.cache.clear() == 200)
            let last = try await keep(f, "last", [1, 0.3])
            #expect(try await nearest(answers, [1, 0])?.digest == last, "behind all that is gone")
            #expect(try await nearest(answers, [1, 0])?.digest == last)
            #expect(answers.size.bytes < full / 4)
        }
    }

    /// Random vectors, some alike, some gone, against a plain loop.
    @Test(arguments: [2, 5, 40])
    func agreesWithAPlainLoop(_ dimension: Int) async throws {
        try await withStore(durability: .normal) { f in
            var random = SeededGenerator(seed: UInt64(dimension))
            let answers = NearestAnswers(f.store)
            var kept: [(digest: [UInt8], vector: [Float])] = []
            func vector() -> [Float] { (0..<dimension).map { _ in Float(Int.random(in: -3...3, using: &random)) } }
            func cosine(_ one: [Float], _ other: [Float]) -> Double {
                func dot(_ one: [Float], _ other: [Float]) -> Double { zip(one, other).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
                return dot(one, other) / (dot(one, one) * dot(other, other)).squareRoot()
            }
            for round in 0..<120 {
                let new = vector()
                if new.contains(where: { $0 != 0 }) { kept.append((try await keep(f, "r\(round)", new), new)) }
                if round % 5 == 0, let gone = kept.indices.randomElement(using: &random) {
                    #expect(try await f.store.cache.delete(kept.remove(at: gone).digest))
                }
                let query = vector()
                guard query.contains(where: { $0 != 0 }) else { continue }
                let best = kept.map { cosine($0.vector, query) }.max() ?? -2
                let match = try await nearest(answers, query, 0.7)
                #expect((match != nil) == (best >= 0.7 - 1e-6))
                guard let match else { continue }
                #expect(abs(match.score - best) < 1e-6)
                let found = try #require(kept.first { $0.digest == match.digest })
                #expect(abs(cosine(found.vector, query) - best) < 1e-6)
            }
        }
    }

    @Test func whatAnsweredIsShown() {
        var digest = [UInt8](repeating: 0xFF, count: 32)
        digest.replaceSubrange(0..<6, with: [0x0A, 0x1B, 0, 0xC4, 0xD5, 0xE6])
        func shown(_ reply: String, _ score: Double = 0.973_46) -> String {
            SemanticMatch(
                digest: digest, score: score,
                reply: CachedReply(
                    reply: reply, target: "local/m", inputTokens: 1, outputTokens: 1, cost: 0, createdAt: 0, expiresAt: 1)
            ).shownReply
        }
        #expect(
            shown(#"{"text":"yes","finish_reason":"stop"}"#)
                == #"{"text":"yes","finish_reason":"stop","semantic":{"entry":"0a1b00c4d5e6","score":0.9735}}"#)
        #expect(shown(#"{"text":"yes","semantic":{"entry":"x"}}"#, 1) == #"{"text":"yes","semantic":{"entry":"0a1b00c4d5e6","score":1}}"#)
        #expect(shown("damaged") == "damaged")
    }

    @Test func aJobThatItServesIsOnRecord() async throws {
        try await withStore { f in
            let digest = try await keep(f, "a", [1, 0])
            let match = try #require(try await nearest(f, [1, 0.01]))
            let job = try await f.running()
            try await f.store.write { transaction in
                _ = try transaction.settle(SettleRequest(job: job, settlement: Settlement(state: .completed)))
                try transaction.complete(job.id, lane: job.laneID, from: match)
            }
            let result = try #require(try f.job(job.id).result)
            #expect(result.answeredBy == .cache && result.text == "a" && result.cost == 0)
            #expect(result.reply["semantic"]?["entry"]?.string?.count == 12)
            #expect(try f.store.cache.entries(limit: 9).first { $0.digest == digest }?.hits == 1)
            #expect(try f.store.cache.statistics().hits == 1)
        }
    }

    @Test func theScanUsesItsIndex() async throws {
        try await withStore { f in
            let plan = try f.raw().rows(
                "EXPLAIN QUERY PLAN SELECT number, entry_id, vector FROM cache_vectors WHERE context = ? AND model = ? AND number > ? ORDER BY number"
            )
            #expect(
                plan.compactMap(\.last) == ["SEARCH cache_vectors USING INDEX cache_vectors_context (context=? AND model=? AND number>?)"])
        }
    }
}
