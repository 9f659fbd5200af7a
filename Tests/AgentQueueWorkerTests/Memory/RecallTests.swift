import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

/// Jobs that recall memories, and jobs whose answers are remembered.
@Suite(.timeLimit(.minutes(2))) struct RecallTests {
    /// A direction for each topic that a text names; others lie apart.
    private static func vector(_ text: String) -> [Float] {
        [text.contains("cat") ? 1 : 0.01, text.contains("dog") ? 1 : 0.01, text.hasPrefix("q: ") ? 0.2 : 0.01]
    }

    private static func provider(
        embedding failure: ModelFailure? = nil, _ reply: @escaping @Sendable (ModelRequest) -> String = { _ in "so it is" }
    ) -> ScriptedProvider {
        ScriptedProvider.talking(
            { requests, _ in
                if let failure { return requests.map { _ in .failure(failure) } }
                return requests.map { .reply(ModelReply(embeddings: $0.map(vector), usage: Usage(inputTokens: 3))) }
            }, reply: { .reply(ModelReply(text: reply($0), finishReason: "stop", usage: Usage(inputTokens: 7, outputTokens: 2))) })
    }

    /// A bench with some memories of cats and dogs.
    private func withMemories(
        _ provider: ScriptedProvider = provider(), _ configure: (inout WorkerConfiguration) -> Void = { _ in },
        _ body: (Bench) async throws -> Void
    ) async throws {
        try await withBench(provider) { configuration in
            configuration.memory?.prefixes = { _ in TextPrefixes(query: "q: ", passage: "p: ") }
            configure(&configuration)
        } _: { b in
            for text in ["cats purr", "dogs bark", "cats and dogs", "rain falls"] {
                let memory = NewMemory(text, vector: try MemoryVector(Self.vector("p: " + text)))
                _ = try await b.store.memories.remember([memory], in: "pets", model: VectorModel(target: "local/e", passagePrefix: "p: "))
            }
            try await body(b)
        }
    }

    private func ask(_ b: Bench, _ prompt: String, _ use: MemoryUse?, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64
    {
        let messages = JSONValue.Member("messages", [["role": "user", "content": .string(prompt)]])
        let request = ModelRequest(kind: .generate, target: Target("local/m")!, body: .object([messages] + (use?.json ?? [])))
        let (body, digest) = request.sealed(identity: b.provider.identity)
        var job = NewJob(kind: .generate, target: request.target, body: body, digest: digest)
        job.useCache = use == nil
        configure(&job)
        return try await b.store.jobs.enqueue(job).id
    }

    private static func prompt(_ text: String) -> String {
        let body: JSONValue = ["messages": [["role": "user", "content": .string(text)]]]
        return body.canonicalText
    }

    private func recalled(_ id: Int64, _ b: Bench) throws -> [Int64]? {
        try b.store.jobs.get(id)?.result?.reply["recalled"]?.array?.compactMap { $0["id"]?.int.map(Int64.init) }
    }

    @Test func theNearestStandBeforeThePrompt() async throws {
        try await withMemories { b in
            let job = try await ask(b, "what of a cat?", MemoryUse(recall: 2, namespaces: ["pets"], remember: nil))
            try await b.round()
            #expect(b.provider.wholeCalls == [[["q: what of a cat?"]]])
            let sent = try #require(b.provider.asked.first)
            #expect(sent.body.canonicalText == Self.prompt("Known:\n- cats purr\n- cats and dogs\n\nwhat of a cat?"))
            #expect(try b.store.jobs.history(of: job).sent?["messages"] == sent.body["messages"])
            let memories = try b.memories("pets")
            #expect(try recalled(job, b) == [memories[0].id, memories[2].id])
            let scores = try #require(try b.store.jobs.get(job)?.result?.reply["recalled"]?.array).compactMap { $0["score"]?.number }
            #expect(scores.count == 2 && scores[0] > scores[1] && scores[0] > 0.9)
            #expect(try b.store.jobs.get(job)?.result?.text == "so it is" && b.store.jobs.get(job)?.request["recall"] != nil)
            #expect(memories[0].recalledAt != nil && memories[1].recalledAt == nil)
            // Its question's embedding is charged to the job, beside its call.
            #expect(try b.int("SELECT count(*) FROM charges WHERE job_id = \(job)") == 2)
            #expect(try b.int("SELECT sum(input_tokens) FROM charges WHERE job_id = \(job) AND target = 'local/e'") == 3)
        }
    }

    /// The answer is cached under what was really asked: another memory makes it another question.
    @Test func theCacheKnowsTheMemories() async throws {
        try await withMemories { b in
            let use = MemoryUse(recall: 2, namespaces: ["pets"], remember: nil)
            let first = try await ask(b, "a cat?", use)
            try await b.round()
            let second = try await ask(b, "a cat?", use)
            #expect(try b.states([second]) == [.available])
            try await b.round()
            #expect(b.provider.asked.count == 1)
            #expect(try b.store.jobs.get(second)?.result?.answeredBy == .cache && recalled(second, b) == recalled(first, b))
            // The plain question has another answer, and none of the notes.
            let plain = try await ask(b, "a cat?", nil)
            try await b.round()
            #expect(try b.provider.asked.count == 2 && recalled(plain, b) == nil)
            // The same text as the prompt with its memories is the same question.
            let same = try await ask(b, "Known:\n- cats purr\n- cats and dogs\n\na cat?", nil)
            #expect(try b.states([same]) == [.completed] && recalled(same, b) == nil)
            #expect(try b.store.jobs.history(of: second).sent != nil && b.store.jobs.history(of: same).sent == nil)
            let memory = NewMemory("cat", vector: try MemoryVector(Self.vector("q: cat")))
            _ = try await b.store.memories.remember([memory], in: "pets", model: VectorModel(target: "local/e", passagePrefix: "p: "))
            let third = try await ask(b, "a cat?", use)
            try await b.round()
            #expect(try b.provider.asked.count == 3 && recalled(third, b) != recalled(first, b))
            var refusing = use
            refusing.usesCache = false
            _ = try await ask(b, "a cat?", refusing)
            try await b.round()
            #expect(b.provider.asked.count == 4 && b.provider.wholeCalls.count == 2)
        }
    }

    @Test func anUnknownNamespaceIsRefusedAndAnEmptyOneIsNot() async throws {
        try await withMemories { b in
            let unknown = try await ask(b, "a cat?", MemoryUse(recall: 2, namespaces: ["pets", "pest"], remember: nil))
            try await b.round()
            #expect(try b.states([unknown]) == [.discarded] && b.provider.asked.isEmpty && b.provider.calls.isEmpty)
            #expect(
                try b.store.jobs.get(unknown)?.errors.first?.message
                    == "memories could not be recalled: there is no namespace 'pest'")
            _ = try await b.store.memories.forget(b.memories("pets").map(\.id))
            let empty = try await ask(b, "a cat?", MemoryUse(recall: 2, namespaces: ["pets"], remember: nil))
            try await b.round()
            #expect(b.provider.asked.last?.body.canonicalText == Self.prompt("a cat?"))
            #expect(try b.states([empty]) == [.completed] && recalled(empty, b) == [])
        }
    }

    /// An embedding that fails for a moment has the job tried again, and says nothing of its own target.
    @Test(arguments: [(FailureClass.rateLimited, 0), (.overloaded, 0), (.retryable, 1), (.timedOut, 1)])
    func aFailureThatPassesHasTheJobTriedAgain(_ failure: FailureClass, _ attempts: Int) async throws {
        try await withMemories(Self.provider(embedding: ModelFailure(failure, "not now"))) { b in
            let job = try await ask(b, "a cat?", MemoryUse(recall: 2, namespaces: ["pets"], remember: nil))
            try await b.round()
            #expect(try b.states([job]) == [.retryable] && b.int("SELECT attempt FROM jobs WHERE id = \(job)") == attempts)
            #expect(b.provider.asked.isEmpty)
            #expect(try b.store.jobs.get(job)?.errors.first?.message == "memories could not be recalled: not now")
            #expect(try b.int("SELECT count(*) FROM resources WHERE name = 'local/m' AND error_class IS NOT NULL") == 0)
        }
    }

    @Test func withoutVectorsWordsAreLookedFor() async throws {
        try await withMemories(Self.provider()) { configuration in
            configuration.memory?.makesVectors = false
        } _: { b in
            let job = try await ask(b, "when does it purr?", MemoryUse(recall: 3, namespaces: ["pets"], remember: nil))
            try await b.round()
            #expect(try b.provider.wholeCalls.isEmpty && recalled(job, b) == [b.memories("pets")[0].id])
        }
    }

    // MARK: Remembering answers

    @Test func anAnswerIsRememberedByAJobThatFollows() async throws {
        try await withMemories { b in
            let job = try await ask(b, "a fact", MemoryUse(recall: nil, namespaces: ["facts"], remember: "facts")) {
                $0.queue = "own"
                $0.priority = 3
                $0.metadata = ["a": 1, "job_id": 99]
            }
            try await b.round()
            #expect(b.provider.asked.first?.body.canonicalText == Self.prompt("a fact"))
            let next = try #require(try b.store.jobs.get(job)?.result?.reply["next_jobs"]?.array?.first?.int)
            let follower = try #require(try b.store.jobs.get(Int64(next)))
            #expect(follower.kind == .memorize && follower.queue == "own" && follower.priority == 3 && follower.state == .available)
            try await b.round()
            let memory = try #require(try b.memories("facts").first)
            #expect(memory.text == "so it is" && memory.metadata == ["a": 1, "job_id": .integer(job)])
            #expect(try b.store.jobs.get(Int64(next))?.state == .completed)
        }
    }

    /// A cached answer is remembered as well; its job is not completed by intake, which would pass it over.
    @Test func aCachedAnswerIsRememberedToo() async throws {
        try await withMemories { b in
            _ = try await ask(b, "a fact", nil)
            try await b.round()
            let use = MemoryUse(recall: nil, namespaces: ["facts"], remember: "facts")
            let job = try await ask(b, "a fact", use)
            try await b.round()
            #expect(try b.provider.asked.count == 1 && b.store.jobs.get(job)?.result?.answeredBy == .cache)
            try await b.round()
            #expect(try b.memories("facts").map(\.text) == ["so it is"])
        }
    }

    @Test func whatIsNoAnswerIsNotRemembered() async throws {
        try await withMemories(Self.provider { _ in "  \n" }) { b in
            let job = try await ask(b, "a fact", MemoryUse(recall: nil, namespaces: ["facts"], remember: "facts"))
            try await b.round()
            #expect(try b.states([job]) == [.completed] && b.int("SELECT count(*) FROM jobs") == 1)
        }
        let refusing = ScriptedProvider.talking(
            { _, _ in [] }, reply: { _ in .failure(ModelFailure(.permanent, "no")) })
        try await withMemories(refusing) { b in
            let job = try await ask(b, "a fact", MemoryUse(recall: nil, namespaces: ["facts"], remember: "facts"))
            try await b.round()
            #expect(try b.states([job]) == [.discarded] && b.int("SELECT count(*) FROM jobs") == 1)
        }
    }
}
