import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueue

/// Memories as they are given, checked one by one and against each other.
@Suite struct MemoryDraftTests {
    private static let now: Int64 = 1_795_305_600_000
    private static let model = VectorModel(target: "p/e5", passagePrefix: "passage: ")
    private static let context = MemoryContext(now: now, model: model) { $0 == "short" ? 1_000 : 5_000 }

    private static func refusal(_ change: (inout MemoryDraft) -> Void) -> String? {
        var draft = MemoryDraft("text")
        change(&draft)
        do throws(InputError) {
            _ = try draft.checked(in: "n", context)
            return nil
        } catch {
            #expect(error.kind == .badData)
            return error.message
        }
    }

    @Test func whatIsSaidIsKept() throws {
        var draft = MemoryDraft("text")
        draft.key = "k"
        draft.metadata = ["a": 1]
        draft.importance = 1
        draft.createdAt = 5
        draft.recalledAt = 6
        let checked = try draft.checked(in: "n", Self.context)
        var memory = NewMemory("text", key: "k", metadata: ["a": 1], importance: 1, createdAt: 5, expiresAt: Self.now + 5_000)
        memory.recalledAt = 6
        #expect(checked == CheckedMemory(memory: memory, model: Self.model))
        #expect(checked.needsVector)
    }

    @Test func howLongItIsKept() throws {
        let cases: [(MemoryExpiry, String, Int64?)] = [
            (.usual, "n", Self.now + 5_000), (.usual, "short", Self.now + 1_000), (.after(7), "n", Self.now + 7),
            (.at(Self.now + 1), "n", Self.now + 1), (.never, "n", nil),
        ]
        for (expiry, namespace, expiresAt) in cases {
            var draft = MemoryDraft("text")
            draft.expiry = expiry
            #expect(try draft.checked(in: namespace, Self.context).memory.expiresAt == expiresAt)
        }
    }

    @Test func whereItsVectorComesFrom() throws {
        var draft = MemoryDraft("")
        draft.vector = .own([3, 4])
        let own = try draft.checked(in: "n", Self.context)
        #expect(own.model == .brought && own.memory.vector?.norm == 5 && !own.needsVector)
        draft.vector = .made([3, 4], by: VectorModel(target: "o/m"))
        #expect(try draft.checked(in: "n", Self.context).model == VectorModel(target: "o/m"))
        draft = MemoryDraft("text")
        draft.vector = .none
        #expect(try draft.checked(in: "n", Self.context).model == nil)
        draft.vector = .model
        var wordsAlone = Self.context
        wordsAlone.model = nil
        #expect(try draft.checked(in: "n", wordsAlone).model == nil)
    }

    @Test func refusals() {
        let cases: [(change: (inout MemoryDraft) -> Void, says: String)] = [
            ({ $0.text = "" }, "the text is empty"), ({ $0.text = " \n\u{A0}" }, "the text is empty"),
            ({ $0.text = "a\0b" }, "the text holds a NUL character"),
            ({ $0.text = String(repeating: "x", count: 1 << 20 + 1) }, "the text is longer than 1MiB"),
            ({ $0.key = "" }, "the key is empty"), ({ $0.key = String(repeating: "ß", count: 513) }, "the key 'ßß"),
            ({ $0.key = "a\nb" }, "the key 'a\\u{a}b' cannot hold control characters"),
            ({ $0.metadata = ["a", "b"] }, "metadata must be an object, not a list"),
            ({ $0.metadata = ["a": "\0"] }, "metadata holds a NUL character"),
            ({ $0.metadata = ["a": .string(String(repeating: "x", count: 64 << 10))] }, "metadata is longer than 64KiB of JSON"),
            ({ $0.importance = 1.1 }, "importance must be 0 to 1, not 1.1"), ({ $0.importance = -0.1 }, "importance must be 0 to 1"),
            ({ $0.importance = .nan }, "importance must be 0 to 1, not nan"), ({ $0.importance = .infinity }, "importance must be 0 to 1"),
            ({ $0.expiry = .after(0) }, "the time to live must be more than 0"),
            ({ $0.expiry = .after(.max) }, "the time to live is too long"),
            ({ $0.expiry = .at(Self.now) }, "it would be forgotten at once"),
            ({ $0.vector = .own([]) }, "the vector has no values"), ({ $0.vector = .own([0, 0]) }, "the vector has no direction"),
            ({ $0.vector = .own([1, .nan]) }, "value 2 of the vector is not a finite number"),
            ({ $0.vector = .own([.infinity]) }, "value 1 of the vector is not a finite number"),
            ({ $0.vector = .own([Float](repeating: 1, count: 4_097)) }, "the vector has 4097 values"),
        ]
        for (change, says) in cases {
            let refusal = Self.refusal(change)
            #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "taken"), instead of \(says)")
        }
        #expect(Self.refusal { $0.text = String(repeating: "x", count: 1 << 20) } == nil)
        #expect(Self.refusal { $0.key = String(repeating: "ß", count: 512) } == nil)
    }

    @Test func vectorsOfANamespaceAgree() throws {
        let stored = MemorySpace(id: 1, namespaceID: 1, model: Self.model, dimension: 2)
        let own = MemorySpace(id: 2, namespaceID: 2, model: .brought, dimension: 3)
        func refusal(_ sources: [MemoryDraft.VectorSource], in namespace: String) throws -> String? {
            var agreement = VectorAgreement { ["stored": stored, "own": own][$0] }
            do {
                for source in sources {
                    var draft = MemoryDraft("text")
                    draft.vector = source
                    try agreement.check(try draft.checked(in: namespace, Self.context), in: namespace)
                }
                return nil
            } catch let error as InputError {
                return error.message
            }
        }
        let cases: [(sources: [MemoryDraft.VectorSource], namespace: String, says: String?)] = [
            ([.model, .none, .made([1, 2], by: Self.model), .made([3, 4], by: Self.model)], "new", nil),
            ([.own([1, 2]), .none, .own([2, 1])], "new", nil), ([.model], "stored", nil), ([.own([1, 2, 3])], "own", nil),
            ([.own([1, 2]), .own([1, 2, 3])], "new", "the vector has 3 values, and those before it 2"),
            (
                [.model, .made([1], by: Self.model), .made([1, 2], by: Self.model)], "new", "the vector has 2 values, and those before it 1"
            ),
            ([.made([1], by: Self.model)], "stored", "the vector has 1 value, and those of namespace 'stored' have 2"),
            ([.own([1, 2])], "stored", "namespace 'stored' holds vectors of p/e5: leave the vector out"),
            ([.model], "own", "namespace 'own' holds vectors of your own, of 3 values: give a vector with each text"),
            ([.own([1, 2, 3]), .model], "new", "namespace 'new' holds vectors of your own"),
            ([.model, .own([1, 2])], "new", "namespace 'new' holds vectors of p/e5: leave the vector out"),
            (
                [.made([1, 2], by: VectorModel(target: "p/e5"))], "stored",
                "namespace 'stored' holds vectors of p/e5 with the prefix 'passage: ', and this one would be with the prefix ''"
            ),
            (
                [.made([1, 2], by: VectorModel(target: "o/m"))], "stored",
                "namespace 'stored' holds vectors of p/e5, and this one would be of o/m; embed it again with that model"
            ),
        ]
        for (sources, namespace, says) in cases {
            let refusal = try refusal(sources, in: namespace)
            if let says { #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "taken")") } else { #expect(refusal == nil) }
        }
    }

    @Test func names() {
        func refusal(_ name: String) -> String? {
            do throws(InputError) {
                try NamespaceName.check(name)
                return nil
            } catch {
                return error.message
            }
        }
        for name in ["default", "a b", "日本語", "x/y:z", String(repeating: "ß", count: 128)] { #expect(refusal(name) == nil) }
        for name in ["", "  ", "a,b", "a\nb", "a\u{1B}", "a\0", String(repeating: "x", count: 129)] { #expect(refusal(name) != nil) }
    }
}
