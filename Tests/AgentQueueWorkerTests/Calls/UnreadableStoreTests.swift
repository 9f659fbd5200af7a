import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// A store that cannot be read on the way to a call is no reason to pay for what may be known: the job waits, and says why.
@Suite struct UnreadableStoreTests {
    private static func provider() -> ScriptedProvider {
        ScriptedProvider.talking(
            { requests, _ in requests.map { _ in .reply(ModelReply(embeddings: [[1, 0]], usage: Usage(inputTokens: 3))) } },
            reply: { _ in .reply(ModelReply(text: "so it is", finishReason: "stop", usage: Usage(inputTokens: 7))) })
    }

    private func ask(_ b: Bench, _ prompt: String, _ use: MemoryUse? = nil) async throws -> Int64 {
        let messages = JSONValue.Member("messages", [["role": "user", "content": .string(prompt)]])
        let target = Target(provider: "local", model: "m")
        let request = ModelRequest(kind: .generate, target: target, body: .object([messages] + (use?.json ?? [])))
        let (body, digest) = request.sealed(identity: b.provider.identity)
        var job = NewJob(kind: .generate, target: request.target, body: body, digest: digest)
        job.useCache = use == nil
        return try await b.store.jobs.enqueue(job).id
    }

    private func rename(_ b: Bench, _ name: StaticString) async throws {
        _ = try await b.store.write { try $0.statement(name).run() }
    }

    /// Runs what was claimed while the cache cannot be read.
    private func runBlind(_ b: Bench, _ jobs: [ClaimedJob]) async throws {
        try await rename(b, "ALTER TABLE cache_entries RENAME TO hidden_entries")
        for job in jobs { await b.run([job]) }
        try await rename(b, "ALTER TABLE hidden_entries RENAME TO cache_entries")
    }

    @Test func aCachedAnswerThatCannotBeReadIsNotPaidForAgain() async throws {
        try await withBench(Self.provider()) { b in
            let job = try await ask(b, "why?")
            var claimed = try await b.claim()
            // As if the claim had found an answer.
            claimed[0].cachedAt = 1
            try await runBlind(b, claimed)
            #expect(try b.states([job]) == [.retryable] && b.provider.asked.isEmpty)
            let error = try #require(try b.store.jobs.get(job)?.errors.first)
            #expect(error.failure == .retryable && error.cost == 0 && error.message.hasPrefix("a cached answer could not be used"))
            try await b.nextDay()
            try await b.round()
            #expect(try b.states([job]) == [.completed] && b.provider.asked.count == 1)
        }
    }

    @Test func aPromptWithMemoriesIsNotPaidForWhereTheCacheCannotBeRead() async throws {
        try await withBench(Self.provider()) { b in
            let memory = NewMemory("cats purr", vector: try MemoryVector([1, 0]))
            _ = try await b.store.memories.remember([memory], in: "pets", model: VectorModel(target: "local/e", passagePrefix: "p: "))
            let job = try await ask(b, "a cat?", MemoryUse(recall: 1, namespaces: ["pets"], remember: nil))
            try await runBlind(b, try await b.claim())
            #expect(try b.states([job]) == [.retryable] && b.provider.asked.isEmpty)
            try await b.nextDay()
            try await b.round()
            #expect(try b.states([job]) == [.completed] && b.provider.asked.count == 1)
        }
    }

    /// A namespace that is lost would give a prompt with other memories, and an answer to a question that nobody asked.
    @Test func aDamagedRecallIsNotPaidFor() async throws {
        try await withBench(Self.provider()) { b in
            let job = try await ask(b, "a cat?", MemoryUse(recall: 1, namespaces: ["pets"], remember: nil))
            try await rename(b, #"UPDATE requests SET body = replace(body, '["pets"]', '["pets",1]')"#)
            try await b.round()
            #expect(try b.states([job]) == [.discarded] && b.provider.asked.isEmpty && b.provider.calls.isEmpty)
            #expect(
                try b.store.jobs.get(job)?.errors.first?.message
                    == #"the stored request is damaged: "recall.namespaces" is not a list of strings alone"#)
        }
    }

    /// Texts with a lost time to live would be kept for ever.
    @Test func aDamagedOrderIsNotPaidFor() async throws {
        try await withBench(Self.provider()) { b in
            let job = try await b.memorize(["cats purr"]) { $0.expiry = .after(.seconds(60)) }
            try await rename(b, "UPDATE requests SET body = replace(body, '60000', '60000.5')")
            try await b.round()
            #expect(try b.states([job]) == [.discarded] && b.provider.asked.isEmpty && b.provider.calls.isEmpty)
            #expect(
                try b.store.jobs.get(job)?.errors.first?.message
                    == #"the stored request is damaged: "memory.ttl_ms" is a number, not a whole number"#)
            #expect(try b.store.jobs.get(job)?.usesCache == false)
        }
    }

    /// What the last answer did wrong goes with the next request: a model that is not told would break its schema again.
    @Test func aComplaintThatCannotBeReadStopsTheCall() async throws {
        try await withBench(Self.provider()) { b in
            let target = Target(provider: "local", model: "m")
            let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "a", "schema": ["type": "object"]]]
            let body: JSONValue = ["messages": [["role": "user", "content": "x"]], "response_format": format]
            let (text, digest) = ModelRequest(kind: .generate, target: target, body: body).sealed(identity: "x")
            let job = ClaimedJob(
                lease: Lease(jobID: 1, token: 1), laneID: 1, batchID: nil, priority: 5, kind: .generate, target: target, body: text,
                digest: digest, attempt: 2, maxAttempts: 5, crashes: 0, timeout: nil, useCache: true)
            let builder = RequestBuilder(store: b.store, configuration: b.configuration)
            #expect(try builder.request(for: job).schema != nil)
            try await rename(b, "ALTER TABLE job_errors RENAME TO hidden_errors")
            #expect(throws: StoreError.self) { try builder.request(for: job) }
            try await rename(b, "ALTER TABLE hidden_errors RENAME TO job_errors")
            var damaged = job
            damaged.body = "{"
            #expect(throws: ModelFailure.self) { try builder.request(for: damaged) }
            // Without its schema, an answer could not be checked.
            damaged.body = text.replacing(#""type":"object""#, with: #""type":"thing""#)
            #expect(damaged.body != text)
            #expect(throws: ModelFailure.self) { try builder.request(for: damaged) }
        }
    }
}
