import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

/// Jobs that remember texts, from their claim to the memories.
@Suite(.timeLimit(.minutes(2))) struct MemorizeTests {
    /// A vector that tells its text.
    private static func vector(_ text: String) -> [Float] {
        [Float(text.utf8.count), Float(text.utf8.first ?? 0), Float(text.utf8.last ?? 0)]
    }

    /// Vectors for all texts, two tokens each; where one is bad, the whole call fails.
    private static func provider(bad: Set<String> = [], _ failure: FailureClass = .permanent) -> ScriptedProvider {
        ScriptedProvider.whole { requests, _ in
            guard bad.isDisjoint(with: requests.joined()) else { return ScriptedProvider.failures(requests.map { $0[0] }, failure) }
            return requests.enumerated().map { place, texts in
                .reply(
                    ModelReply(
                        embeddings: texts.map(vector), usage: Usage(inputTokens: texts.count * 2), model: "e", calls: place == 0 ? 1 : 0))
            }
        }
    }

    /// The exact vector of a memory.
    private func stored(_ id: Int64, _ b: Bench) throws -> [Float]? {
        try b.store.memories.withSnapshot { snapshot in
            guard let memory = try snapshot.memories([id])[id], let space = try snapshot.namespace(named: memory.namespace)?.space,
                let number = try snapshot.numbers(of: [id], in: space).first?.number
            else { return nil }
            var values: [Float]?
            try snapshot.vectors([number], of: space) { _, bytes in
                values = (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
            }
            return values
        }
    }

    private func result(_ id: Int64, _ b: Bench) throws -> JSONValue? { try b.store.jobs.get(id)?.result?.reply }

    @Test func oneCallRemembersAll() async throws {
        try await withBench(Self.provider()) { b in
            var ids: [Int64] = []
            for number in 0..<20 {
                ids.append(
                    try await b.memorize(["text \(number)"]) {
                        $0.importance = 0.75
                    } _: {
                        $0.metadata = ["n": .integer(Int64(number))]
                    })
            }
            #expect(try await b.round() == 1)
            #expect(try b.counts(ids) == [.completed: 20])
            #expect(b.provider.wholeCalls[0].flatMap(\.self) == (0..<20).map { "p: text \($0)" })
            let memories = try b.memories()
            #expect(memories.map(\.text) == (0..<20).map { "text \($0)" })
            #expect(memories.map(\.metadata) == (0..<20).map { ["n": .integer($0)] })
            #expect(memories.allSatisfy { $0.importance == 0.75 && $0.expiresAt == nil })
            for memory in memories { #expect(try stored(memory.id, b) == Self.vector("p: " + memory.text)) }
            let space = try #require(try b.store.memories.withSnapshot { try $0.namespace(named: "notes") }?.space)
            #expect(space.model == VectorModel(target: "local/e", passagePrefix: "p: ") && space.dimension == 3)
            let told = try result(ids[3], b)
            #expect(told?["memory_ids"] == [.integer(memories[3].id)] && told?["outcomes"] == ["stored"])
            #expect(told?["embeddings"] == nil && told?["model"] == "e")
            #expect(try b.int("SELECT sum(calls) FROM charges") == 1 && b.int("SELECT sum(input_tokens) FROM results") == 40)
            // In one block, and not in the cache as well.
            #expect(try b.int("SELECT count(*) FROM memory_blocks") == 1 && b.int("SELECT count(*) FROM cache_entries") == 0)
        }
    }

    @Test func whatIsStoredAlreadyIsNotPaidFor() async throws {
        try await withBench(Self.provider()) { b in
            try await b.memorize(["a", "b"])
            _ = try await b.round()
            let again = try await b.memorize(["b", "c", "a"])
            let same = try await b.memorize(["a"])
            #expect(try await b.round() == 1)
            #expect(b.provider.wholeCalls.last == [["p: c"]])
            let ids = try b.memories().map(\.id)
            #expect(try b.memories().map(\.text) == ["a", "b", "c"])
            #expect(try result(again, b)?["memory_ids"] == [.integer(ids[1]), .integer(ids[2]), .integer(ids[0])])
            #expect(try result(again, b)?["outcomes"] == ["duplicate", "stored", "duplicate"])
            #expect(try result(same, b)?["outcomes"] == ["duplicate"])
            #expect(try b.store.jobs.get(same)?.result?.answeredBy == .cache && b.store.jobs.get(again)?.result?.answeredBy == .provider)
            #expect(try await b.memorize(["b"]) > 0)
            #expect(try await b.round() == 0)
            #expect(try b.int("SELECT count(*) FROM charges") == 2 && b.int("SELECT calls FROM lanes") == 2)
        }
    }

    /// Jobs of one text for several places: the text is embedded once, and each job's memory is stored.
    @Test func equalTextsAreCalledForOnceAndStoredInEachPlace() async throws {
        try await withBench(Self.provider()) { b in
            let ids = [
                try await b.memorize(["same"], in: "one"), try await b.memorize(["same"], in: "two"),
                try await b.memorize(["same"], in: "one"),
                try await b.memorize(["same"], in: "one") { $0.key = "k" },
                try await b.memorize(["same"], in: "two") { _ in
                } _: {
                    $0.metadata = ["a": 1]
                },
            ]
            #expect(try await b.round() == 1)
            #expect(b.provider.wholeCalls == [[["p: same"]]])
            #expect(try b.counts(ids) == [.completed: 5])
            #expect(try b.memories("one").map(\.key) == [nil, "k"] && b.memories("two").map(\.metadata) == [nil, ["a": 1]])
            #expect(try ids.map { try result($0, b)?["outcomes"]?.array?.first } == ["stored", "stored", "duplicate", "stored", "stored"])
            for memory in try b.memories("one") + b.memories("two") { #expect(try stored(memory.id, b) == Self.vector("p: same")) }
        }
    }

    /// An earlier embedding of the same text serves, unless the job refuses the cache.
    @Test func theCacheMayHaveTheVector() async throws {
        let provider = Self.provider()
        try await withBench(provider) { b in
            try await b.add(["p: a"])
            _ = try await b.round()
            let job = try await b.memorize(["a"])
            #expect(try await b.round() == 0)
            #expect(try b.store.jobs.get(job)?.result?.answeredBy == .cache)
            #expect(try stored(try #require(b.memories().first).id, b) == Self.vector("p: a"))
            try await b.memorize(["a"], in: "other") { $0.usesCache = false }
            #expect(try await b.round() == 1)
        }
    }

    @Test func aKeyIsUpsertedAndTimesToLiveHold() async throws {
        try await withBench(Self.provider()) { b in
            try await b.memorize(["old"]) {
                $0.key = "k"
                $0.expiry = .after(.seconds(600))
            }
            _ = try await b.round()
            let old = try #require(try b.memories().first)
            #expect((old.expiresAt ?? 0) - old.createdAt == 600_000)
            let job = try await b.memorize(["new"]) {
                $0.key = "k"
                $0.expiry = .never
            }
            _ = try await b.round()
            let memories = try b.memories()
            #expect(memories.map(\.text) == ["new"] && memories.first?.id == old.id && memories.first?.expiresAt == nil)
            #expect(try result(job, b)?["outcomes"] == ["updated"] && stored(old.id, b) == Self.vector("p: new"))
        }
    }

    @Test func aNamespacesOwnRetentionHolds() async throws {
        try await withBench(Self.provider()) { configuration in
            configuration.memory?.retentions["short"] = 5_000
        } _: { b in
            try await b.memorize(["a"], in: "short")
            _ = try await b.round()
            let memory = try #require(try b.memories("short").first)
            #expect((memory.expiresAt ?? 0) - memory.createdAt == 5_000)
        }
    }

    @Test func withoutVectorsNothingIsCalled() async throws {
        try await withBench(Self.provider()) { configuration in
            configuration.memory?.makesVectors = false
        } _: { b in
            let job = try await b.memorize(["a", "b"])
            #expect(try await b.round() == 0)
            #expect(try b.memories().map(\.text) == ["a", "b"] && result(job, b)?["outcomes"] == ["stored", "stored"])
            #expect(try b.store.memories.withSnapshot { try $0.namespace(named: "notes") }?.space == nil)
        }
    }

    // MARK: What goes wrong

    /// A namespace of another model's vectors: nothing is called, nothing stored, and the sentence says what to do.
    @Test func anotherModelsNamespaceIsRefused() async throws {
        try await withBench(Self.provider()) { b in
            let other = VectorModel(target: "other/model", passagePrefix: "")
            _ = try await b.store.memories.remember([NewMemory("x", vector: MemoryVector([1, 2, 3]))], in: "notes", model: other)
            let job = try await b.memorize(["a"])
            let fine = try await b.memorize(["a"], in: "elsewhere")
            #expect(try await b.round() == 1)
            #expect(try b.states([job, fine]) == [.discarded, .completed])
            let error = try #require(try b.store.jobs.get(job)?.errors.first)
            #expect(error.failure == .permanent)
            #expect(
                error.message == """
                    namespace notes holds vectors of other/model, not of local/e with the prefix 'p: '; use another namespace, or \
                    embed this one again with that model
                    """)
            #expect(try b.memories().map(\.text) == ["x"])
        }
    }

    /// Vectors of another length: what was paid is on record, the jobs beside it are not touched.
    @Test func aWrongDimensionIsRefusedAloneAndPaidFor() async throws {
        let provider = ScriptedProvider.whole { requests, _ in
            requests.enumerated().map { place, texts in
                let vectors: [[Float]] = texts.map { $0 == "p: odd" ? [1, 2] : Self.vector($0) }
                return .reply(ModelReply(embeddings: vectors, usage: Usage(inputTokens: 2), calls: place == 0 ? 1 : 0))
            }
        }
        try await withBench(provider) { b in
            let ids = [
                try await b.memorize(["a"]), try await b.memorize(["odd"]), try await b.memorize(["b"]),
                try await b.memorize(["odd"], in: "odd"),
            ]
            #expect(try await b.round() == 1)
            #expect(try b.states(ids) == [.completed, .discarded, .completed, .completed])
            let error = try #require(try b.store.jobs.get(ids[1])?.errors.first)
            #expect(error.failure == .permanent && error.message.contains("(2 values)") && error.message.contains("embed this one again"))
            #expect(try b.memories().map(\.text) == ["a", "b"] && b.memories("odd").map(\.text) == ["odd"])
            #expect(try b.int("SELECT sum(input_tokens) FROM charges") == 6 && b.int("SELECT sum(calls) FROM charges") == 1)
            #expect(try b.int("SELECT input_tokens FROM lanes") == 6)
        }
    }

    @Test func aBadTextFailsAlone() async throws {
        try await withBench(Self.provider(bad: ["p: t7"])) { b in
            var ids: [Int64] = []
            for number in 0..<16 { ids.append(try await b.memorize(["t\(number)"])) }
            _ = try await b.round()
            #expect(try b.counts(ids) == [.completed: 15, .discarded: 1] && b.states([ids[7]]) == [.discarded])
            #expect(try b.memories().count == 15)
        }
    }

    @Test func aVectorWithoutDirectionIsAnInvalidReply() async throws {
        let provider = ScriptedProvider.whole { requests, _ in
            requests.map { .reply(ModelReply(embeddings: $0.map { _ in [0, 0] }, usage: Usage(inputTokens: 2))) }
        }
        try await withBench(provider) { b in
            let job = try await b.memorize(["a"])
            _ = try await b.round()
            let error = try #require(try b.store.jobs.get(job)?.errors.first)
            #expect(error.failure == .invalidReply && error.message.contains("no direction"))
            #expect(try b.states([job]) == [.retryable] && b.memories().isEmpty)
        }
    }

    /// The lease is lost while the call is under way: nothing is stored, and the next attempt finds the vector.
    @Test func aLateAnswerIsKeptForTheNextAttempt() async throws {
        let gate = Gate()
        let provider = ScriptedProvider.whole { requests, _ in
            try? await gate.wait()
            return requests.map { .reply(ModelReply(embeddings: $0.map(Self.vector), usage: Usage(inputTokens: 2))) }
        }
        try await withBench(provider) { b in
            let job = try await b.memorize(["a"])
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await provider.begun.wait(atLeast: 1) }
            // Another worker has it by now.
            try await b.handOver(job)
            gate.open()
            await run
            #expect(try b.memories().isEmpty && b.int("SELECT count(*) FROM cache_entries") == 1)
            #expect(try await b.round() == 0)
            #expect(try b.memories().map(\.text) == ["a"] && b.states([job]) == [.completed])
        }
    }

    @Test func aCancelledJobRemembersNothing() async throws {
        let gate = Gate()
        let provider = ScriptedProvider.whole { requests, _ in
            try? await gate.wait()
            return requests.map { .reply(ModelReply(embeddings: $0.map(Self.vector), usage: Usage(inputTokens: 2))) }
        }
        try await withBench(provider) { b in
            let ids = [try await b.memorize(["a"]), try await b.memorize(["b"])]
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await provider.begun.wait(atLeast: 1) }
            try await b.cancel([ids[0]])
            gate.open()
            await run
            #expect(try b.states(ids) == [.cancelled, .completed] && b.memories().map(\.text) == ["b"])
        }
    }

    @Test func aDamagedRequestIsRefused() async throws {
        try await withBench(Self.provider()) { b in
            let job = try await b.memorize(["a"]) { _ in
            } _: {
                $0.body = #"{"input":["p: a"]}"#
            }
            #expect(try await b.round() == 0)
            #expect(try b.states([job]) == [.discarded])
        }
    }

    @Test func oneAtATimeWorksToo() async throws {
        try await withBench(Self.provider()) { configuration in
            configuration.coalesces = false
        } _: { b in
            let ids = [try await b.memorize(["a"]), try await b.memorize(["b"]), try await b.memorize(["a"])]
            for _ in ids { _ = try await b.roundAlone() }
            #expect(try b.counts(ids) == [.completed: 3] && b.provider.wholeCalls == [[["p: a"]], [["p: b"]]])
        }
    }

    // MARK: Another model

    /// Five memories of another model's, and what makes their vectors anew.
    private func withSpace(_ provider: ScriptedProvider, _ body: (Bench, MemorySpace) async throws -> Void) async throws {
        try await withBench(provider) { b in
            let old = VectorModel(target: "old/model", passagePrefix: "")
            let memories = try (0..<5).map { NewMemory("t\($0)", key: "k\($0)", vector: try MemoryVector([Float($0), 1])) }
            _ = try await b.store.memories.remember(memories, in: "notes", model: old)
            let space = try await b.store.memories.beginSpace(
                in: "notes", model: VectorModel(target: "local/e", passagePrefix: "p: "), dimension: 3)
            try await body(b, space)
        }
    }

    private func take(_ b: Bench, _ space: MemorySpace, limit: Int = 2) async throws {
        while try await b.store.memories.enqueueNext(for: space, limit: limit, { space.jobs(for: $0, in: "notes") }) > 0 {}
    }

    private func namespace(_ b: Bench) throws -> MemoryNamespace {
        try #require(try b.store.memories.withSnapshot { try $0.namespace(named: "notes") })
    }

    @Test func theLastVectorBringsTheNewModel() async throws {
        try await withSpace(Self.provider()) { b, space in
            try await take(b, space)
            #expect(try b.int("SELECT count(*) FROM jobs") == 3 && namespace(b).space?.model.target == "old/model")
            try await b.round()
            #expect(b.provider.wholeCalls.map { $0.flatMap(\.self) } == [(0..<5).map { "p: t\($0)" }])
            #expect(try namespace(b).space == space && namespace(b).building == nil)
            for memory in try b.memories() { #expect(try stored(memory.id, b) == Self.vector("p: " + memory.text)) }
            #expect(try result(1, b) == ["model": "e", "space": .integer(space.id), "vectors": 2])
        }
    }

    /// What changes while it goes on gets the vector of its new text, and what has a vector or is gone is not paid for.
    @Test func whatChangesMeanwhileIsMadeAnew() async throws {
        try await withSpace(Self.provider()) { b, space in
            try await take(b, space)
            let old = VectorModel(target: "old/model", passagePrefix: "")
            _ = try await b.store.memories.remember([NewMemory("new", key: "k1", vector: MemoryVector([9, 9]))], in: "notes", model: old)
            _ = try await b.store.memories.forget([b.memories()[3].id])
            try await b.round()
            #expect(b.provider.wholeCalls[0].flatMap(\.self) == ["p: t0", "p: t2", "p: t4"])
            #expect(try namespace(b).building == space)
            // Maintenance sees that one is lacking.
            try await b.store.memories.resumeSpaces()
            try await b.round()
            #expect(b.provider.wholeCalls.last == [["p: new"]])
            #expect(try namespace(b).space == space)
            for memory in try b.memories() { #expect(try stored(memory.id, b) == Self.vector("p: " + memory.text)) }
            try await take(b, space)
            #expect(try b.int("SELECT count(*) FROM jobs WHERE state <> 'completed'") == 0)
        }
    }

    /// A memory that is stored while the model changes has its vector among the new ones at once.
    @Test func whatIsStoredMeanwhileByTheNewModelIsKept() async throws {
        try await withSpace(Self.provider()) { b, space in
            let job = try await b.memorize(["meanwhile"])
            try await b.round()
            #expect(try b.states([job]) == [.completed] && namespace(b).building == space)
            try await take(b, space)
            try await b.round()
            #expect(try namespace(b).space == space && b.provider.wholeCalls.last?.joined().contains("p: meanwhile") == false)
            let memory = try #require(try b.memories().last)
            #expect(try memory.text == "meanwhile" && stored(memory.id, b) == Self.vector("p: meanwhile"))
        }
    }

    /// One text that no model takes: its job is divided until it fails alone, and the others have their vectors.
    @Test func aBadTextAmongManyFailsAlone() async throws {
        try await withSpace(Self.provider(bad: ["p: t3"])) { b, space in
            try await take(b, space, limit: 5)
            for _ in 0..<6 { try await b.round() }
            #expect(try b.int("SELECT count(*) FROM jobs WHERE state NOT IN ('completed', 'discarded')") == 0)
            #expect(try b.int("SELECT count(*) FROM batches") == 1 && b.int("SELECT discarded FROM batches") > 0)
            #expect(try b.store.memories.withSnapshot { try $0.progress(of: space) } == 4 && namespace(b).building == space)
            _ = try await b.store.memories.forget([b.memories()[3].id])
            try await b.store.memories.resumeSpaces()
            #expect(try namespace(b).space == space)
        }
    }

    @Test func vectorsOfASpaceThatWasGivenUpAreNotPaidFor() async throws {
        try await withSpace(Self.provider()) { b, space in
            try await take(b, space)
            _ = try await b.store.memories.beginSpace(
                in: "notes", model: VectorModel(target: "third/model", passagePrefix: ""), dimension: 7)
            #expect(try await b.round() == 0)
            #expect(try b.int("SELECT count(*) FROM jobs WHERE state = 'completed'") == 3)
        }
    }
}
