import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueue

/// Vector memory as a program uses it.
@Suite struct MemoriesTests {
    private static func drafts(_ texts: String...) -> [MemoryDraft] { texts.map { MemoryDraft($0) } }

    private static func texts(_ answer: MemoryAnswer?) -> [String] { answer?.hits.map(\.memory.text) ?? [] }

    @Test func whatIsStoredIsFoundAndPaidForOnce() async throws {
        try await MemoryScene.with { scene in
            let results = try await scene.memories.store(
                Self.drafts("red apples", "green pears", "blue plums", "red apples", "old cars", "new cars"), in: "fruit")
            #expect(results.map(\.outcome) == [.stored, .stored, .stored, .duplicate, .stored, .stored])
            #expect(results[0].id == results[3].id)
            #expect(scene.words.calls.map(\.count) == [3, 2])
            #expect(scene.words.texts.allSatisfy { $0.hasPrefix("passage: ") })
            let answers = try await scene.memories.search([
                MemoryQuery(namespaces: ["fruit"], text: "apples red"), MemoryQuery(namespaces: ["fruit"], text: "cars"),
            ])
            #expect(Self.texts(answers.first).first == "red apples")
            #expect(Set(Self.texts(answers.last).prefix(2)) == ["old cars", "new cars"])
            #expect(scene.words.calls.last == ["query: apples red", "query: cars"])
            let calls = scene.words.calls.count
            let again = try await scene.memories.store(Self.drafts("old cars", "new cars"), in: "fruit")
            #expect(again.map(\.outcome) == [.duplicate, .duplicate])
            #expect(scene.words.calls.count == calls)
        }
    }

    @Test("A text that comes again in the next batch, while the first is being committed, is not embedded again")
    func duplicatesAcrossBatches() async throws {
        try await MemoryScene.with { scene in
            let texts = (0..<4).map { "text \($0)" }
            let results = try await scene.memories.store((texts + texts + texts).map { MemoryDraft($0) }, in: "n")
            #expect(results.count { $0.outcome == .stored } == 4)
            #expect(scene.words.texts == texts.map { "passage: \($0)" })
        }
    }

    @Test func nothingIsStoredWhereOneIsWrong() async throws {
        try await MemoryScene.with { scene in
            var drafts = Self.drafts("one", "two", "three", "four", "five", " ")
            #expect(
                await sentence { try await scene.memories.store(drafts, in: "n") } == "text 6: the text is empty; nothing was stored")
            drafts[5].text = "six"
            drafts[3].vector = .own([1, 2])
            let mixed = await sentence { try await scene.memories.store(drafts, in: "n") }
            #expect(mixed?.hasPrefix("text 4: namespace 'n' holds vectors of scripted/e5: leave the vector out") == true)
            let single = await sentence { try await scene.memories.store([MemoryDraft("")], in: "n") }
            #expect(single == "the text is empty")
            #expect(await sentence { try await scene.memories.store(Self.drafts("x"), in: "a,b") } != nil)
            let held = try scene.count
            #expect(held == 0)
            #expect(scene.words.calls.isEmpty)
        }
    }

    @Test("Where the model fails in the middle, what came before stays, and the same again pays for the rest alone")
    func resuming() async throws {
        try await MemoryScene.with { scene in
            let drafts = (0..<12).map { MemoryDraft($0 == 9 ? "text poison" : "text number\($0)") }
            scene.words.refuse("poison")
            var told = 0
            await #expect(throws: ModelFailure.self) {
                try await scene.memories.store(drafts, in: "n") { told += $0.count }
            }
            #expect(told == 8)
            let held = try scene.count
            #expect(held == 8)
            scene.words.refuse(nil)
            let calls = scene.words.calls.count
            let results = try await scene.memories.store(drafts, in: "n")
            #expect(results.map(\.outcome) == Array(repeating: .duplicate, count: 8) + Array(repeating: .stored, count: 4))
            // What came before the refused text in its own batch was paid for then, and kept.
            let paid = scene.words.calls.dropFirst(calls).flatMap(\.self)
            #expect(paid == ["text poison", "text number10", "text number11"].map { "passage: \($0)" })
        }
    }

    @Test func howLongMemoriesAreKept() async throws {
        try await MemoryScene.with {
            $0.memory.retention = .limited(.seconds(60))
            var own = NamespaceSettings()
            own.retention = .limited(.seconds(120))
            $0.memory.namespaces = ["long": own]
        } _: { scene in
            var kept = MemoryDraft("kept")
            kept.expiry = .never
            try await scene.memories.store(Self.drafts("usual"), in: "n")
            try await scene.memories.store(Self.drafts("longer"), in: "long")
            try await scene.memories.store([kept], in: "n")
            let spans = try scene.memories.list(limit: 10).map { memory in
                memory.expiresAt.map { ($0 - memory.createdAt + 30_000) / 60_000 }
            }
            #expect(spans == [nil, 2, 1])
        }
    }

    @Test func withoutVectorsNothingIsCalled() async throws {
        try await MemoryScene.with {
            $0.memory.vectors = false
        } _: { scene in
            try await scene.memories.store(Self.drafts("red apples", "green pears"), in: "n")
            var query = MemoryQuery(namespaces: ["n"], text: "apples")
            query.mode = .words
            let answers = try await scene.memories.search([query])
            #expect(Self.texts(answers.first) == ["red apples"])
            #expect(scene.words.calls.isEmpty)
            #expect(try scene.memories.namespaces().first?.space == nil)
        }
    }

    @Test func vectorsOfOnesOwn() async throws {
        try await MemoryScene.with { scene in
            var drafts = Self.drafts("north", "east", "")
            for (index, vector) in [[0, 1], [1, 0], [-1, 0] as [Float]].enumerated() { drafts[index].vector = .own(vector) }
            try await scene.memories.store(drafts, in: "map")
            let answers = try await scene.memories.search([MemoryQuery(namespaces: ["map"], vector: [0.1, 1])])
            #expect(Self.texts(answers.first) == ["north", "east", ""])
            #expect(scene.words.calls.isEmpty)
            let text = await sentence { _ = try await scene.memories.search([MemoryQuery(namespaces: ["map"], text: "north")]) }
            #expect(text?.hasPrefix("namespace 'map' holds vectors of your own: search it with a vector") == true)
            let wrong = await sentence { _ = try await scene.memories.search([MemoryQuery(namespaces: ["map"], vector: [1, 2, 3])]) }
            #expect(wrong?.contains("'map' holds vectors of 2 values") == true, "\(wrong ?? "")")
        }
    }

    @Test("What cannot be answered is refused before the model is paid")
    func queriesThatCannotBe() async throws {
        try await MemoryScene.with { scene in
            try await scene.memories.store(Self.drafts("red apples"), in: "fruit")
            let calls = scene.words.calls.count
            func refusal(_ change: (inout MemoryQuery) -> Void) async -> String? {
                var query = MemoryQuery(namespaces: ["fruit"], text: "apples")
                change(&query)
                return await sentence { [query] in _ = try await scene.memories.search([query]) }
            }
            #expect(await refusal { $0.namespaces = ["friut"] } == "there is no namespace 'friut' (did you mean 'fruit'?)")
            #expect(await refusal { $0.namespaces = [] } != nil)
            #expect(await refusal { $0.text = " " } == "the text to look for is empty")
            #expect(await refusal { $0.text = nil } == "a text to look for is missing")
            #expect(await refusal { $0.text = "a\0" } == "the text to look for holds a NUL character")
            #expect(await refusal { $0.limit = 0 } != nil)
            #expect(await refusal { $0.relevance = 2 } != nil)
            #expect(await refusal { $0.recencyWeight = -.infinity } != nil)
            #expect(await refusal { $0.minScore = .nan } != nil)
            #expect(await refusal { $0.vector = [0, 0] }?.hasPrefix("the vector has no direction") == true)
            #expect(scene.words.calls.count == calls)
        }
    }

    @Test func aNamespaceIsSearchedByItsOwnModel() async throws {
        try await MemoryScene.with { scene in
            try await scene.memories.store(Self.drafts("red apples"), in: "n")
            try await scene.with {
                $0.memory.embeddingModel = "scripted/other"
            } _: { memories in
                let answers = try await memories.search([MemoryQuery(namespaces: ["n"], text: "apples")])
                #expect(Self.texts(answers.first) == ["red apples"])
                #expect(scene.words.calls.last == ["query: apples"])
                #expect(scene.notices.all.count == 1)
                #expect(scene.notices.all.first?.contains("another model (scripted/e5)") == true)
                let refusal = await sentence { try await memories.store(Self.drafts("green pears"), in: "n") }
                #expect(refusal?.contains("embed it again with that model") == true)
            }
            let held = try scene.count
            #expect(held == 1)
        }
    }

    @Test func namespacesOfSeveralModelsAreAskedTogether() async throws {
        try await MemoryScene.with { scene in
            try await scene.memories.store(Self.drafts("red apples", "old cars"), in: "a")
            try await scene.with {
                $0.memory.embeddingModel = "scripted/other"
            } _: { memories in
                try await memories.store(Self.drafts("red apples and pears", "blue sky"), in: "b")
                var query = MemoryQuery(namespaces: ["a", "b"], text: "red apples")
                query.limit = 2
                let answer = try #require(try await memories.search([query]).first)
                #expect(Self.texts(answer) == ["red apples", "red apples and pears"])
                #expect(answer.reports.map(\.namespace) == ["a", "b"])
            }
        }
    }

    @Test func aModelWithoutItsProviderIsNamed() async throws {
        try await MemoryScene.with {
            $0.memory.embeddingModel = "nowhere/m"
        } _: { scene in
            let refusal = await sentence { try await scene.memories.store(Self.drafts("x"), in: "n") }
            #expect(refusal?.hasPrefix("the embedding model nowhere/m cannot be called, for provider 'nowhere' is not available") == true)
            let held = try scene.count
            #expect(held == 0)
        }
    }

    @Test func readingAndForgetting() async throws {
        try await MemoryScene.with { scene in
            var keyed = MemoryDraft("green pears")
            keyed.key = "k"
            let ids = try await scene.memories.store([MemoryDraft("red apples"), keyed], in: "n").map(\.id)
            try await scene.memories.store(Self.drafts("old cars"), in: "m")
            #expect(try scene.memories.list(limit: 10).map(\.text) == ["old cars", "green pears", "red apples"])
            #expect(try scene.memories.list(in: "n", limit: 1).map(\.text) == ["green pears"])
            #expect(try scene.memories.list(in: "n", before: ids[1], limit: 5).map(\.text) == ["red apples"])
            #expect(try scene.memories.id(key: "k", in: "n") == ids[1])
            #expect(try scene.memories.id(key: "K", in: "n") == nil)
            let records = try scene.memories.get([ids[1], 99, ids[0]], withVectors: true)
            #expect(records.map(\.memory.id) == [ids[1], ids[0]])
            #expect(records.first?.vector == scene.words.vector(of: "green pears"))
            #expect(records.first?.model == VectorModel(target: "scripted/e5", passagePrefix: "passage: "))
            #expect(try await scene.memories.delete([ids[0], 99]) == 1)
            #expect(try scene.memories.get(ids).map(\.memory.id) == [ids[1]])
            #expect(try await scene.memories.forgetNamespace("n") == 1)
            #expect(await sentence { _ = try await scene.memories.forgetNamespace("n") } == "there is no namespace 'n' (did you mean 'm'?)")
            #expect(try scene.memories.namespaces().map(\.name) == ["m"])
        }
    }

    @Test func whatWasFoundIsNotedAsRecalled() async throws {
        try await MemoryScene.with { scene in
            try await scene.memories.store(Self.drafts("red apples", "old cars"), in: "n")
            var query = MemoryQuery(namespaces: ["n"], text: "apples")
            query.limit = 1
            _ = try await scene.memories.search([query])
            #expect(try scene.memories.list(limit: 2).map { $0.recalledAt != nil } == [false, true])
        }
    }
}
