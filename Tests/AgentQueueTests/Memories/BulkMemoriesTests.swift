import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueue

/// Memories from JSON lines, and back into them.
@Suite struct BulkMemoriesTests {
    @Test func linesBecomeMemoriesInTheirOrder() async throws {
        try await MemoryScene.with { scene in
            var options = BulkMemoryOptions()
            options.namespace = "usual"
            options.importance = 0.75
            options.metadata = ["from": "file"]
            options.expiry = .never
            let results = try await scene.store(
                [
                    #"{"text": "one"}"#, "", #"{"text": "two", "namespace": "own", "importance": 0.25, "metadata": {}}"#,
                    #"{"text": "three", "ttl": "1d"}"#, #"{"text": "one"}"#, #"{"text": "five", "namespace": "own"}"#,
                ], options)
            #expect(results.map(\.outcome) == [.stored, .stored, .stored, .duplicate, .stored])
            let memories = try scene.memories.get(results.map(\.id)).map(\.memory)
            #expect(memories.map(\.text) == ["one", "two", "three", "one", "five"])
            #expect(memories.map(\.namespace) == ["usual", "own", "usual", "usual", "own"])
            #expect(memories.map(\.importance) == [0.75, 0.25, 0.75, 0.75, 0.75])
            #expect(memories.map { $0.metadata?["from"] } == ["file", nil, "file", "file", "file"])
            #expect(memories.map { $0.expiresAt == nil } == [true, true, false, true, true])
            options.overridesNamespaces = true
            options.namespace = "other"
            try await scene.store([#"{"text": "six", "namespace": "own"}"#], options)
            #expect(try scene.memories.list(limit: 1).first?.namespace == "other")
        }
    }

    @Test("A bad line, wherever it stands, is named, and nothing is stored or paid")
    func badLines() async throws {
        try await MemoryScene.with { scene in
            let good = (0..<20).map { #"{"text": "text \#($0)"}"# }
            let cases: [(line: String, says: String)] = [
                ("nonsense", "line 21: not valid JSON"), (#"{"text": ""}"#, "line 21: the text is empty"),
                (#"{"text": "t", "namespace": "a,b"}"#, "line 21: the namespace's name 'a,b'"),
                (#"{"text": "t", "vector": [1, 2]}"#, "line 21: namespace 'default' holds vectors of scripted/e5"),
                (#"{"text": "t", "vector": [0, 0]}"#, "line 21: the vector has no direction"),
                (#"{"text": "t", "vector": [1e40]}"#, "line 21: value 1 of the vector is not a finite number"),
                (#"{"text": "t", "vector": [1], "model": "nonsense"}"#, "line 21: model 'nonsense' is not a target"),
                (#"{"text": "t", "expires_at": "2001-01-01T00:00Z"}"#, "line 21: it would be forgotten at once"),
            ]
            for (line, says) in cases {
                let refusal = await sentence { try await scene.store(good + [line]) }
                #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "taken")")
            }
            let held = try scene.count
            #expect(held == 0)
            #expect(scene.words.calls.isEmpty)
        }
    }

    @Test func rowsOfNumPyBelongToLines() async throws {
        try await MemoryScene.with { scene in
            func rows(_ vectors: [[Float]?]) throws -> VectorFile {
                let writer = try VectorFileWriter(path: "\(scene.folder)/v.npy")
                for vector in vectors { try writer.append(vector, dimension: 2) }
                try writer.finish()
                return try VectorFile(path: "\(scene.folder)/v.npy")
            }
            let lines = [#"{"text": "one"}"#, "", #"{"text": "two"}"#, #"{"text": "three", "vector": null}"#]
            let results = try await scene.store(lines, vectors: try rows([[1, 0], [0, 1], nil]))
            #expect(try scene.memories.get(results.map(\.id), withVectors: true).map(\.vector) == [[1, 0], [0, 1], nil])
            #expect(try scene.memories.namespaces().first?.space?.model == .brought)
            var options = BulkMemoryOptions()
            options.namespace = "made"
            options.model = "scripted/e5"
            try await scene.store(lines, vectors: try rows([[1, 0], [0, 1], nil]), options)
            let made = try scene.memories.namespaces(named: "made").first?.space?.model
            #expect(made == VectorModel(target: "scripted/e5", passagePrefix: "passage: "))
            #expect(scene.words.calls.isEmpty)

            options.namespace = "wrong"
            let cases: [(lines: [String], rows: [[Float]?], says: String)] = [
                (lines, [[1, 0], [0, 1]], "line 4: \(scene.folder)/v.npy has no row 3"),
                (lines, [[1, 0], [0, 1], nil, [1, 1]], "\(scene.folder)/v.npy has 4 rows, for 3 lines"),
                (lines, [[1, 0], [0, 1], [1, 1]], "line 4: the line says that it has no vector, but row 3"),
                (lines, [[1, 0], nil, nil], "line 3: the vector has no direction"),
                (lines, [[1, 0], [.nan, 1], nil], "line 3: value 1 of the vector is not a finite number"),
                ([#"{"text": "one", "vector": [1, 2]}"#], [[1, 0]], "line 1: the line holds a vector, and so does"),
            ]
            for (lines, vectors, says) in cases {
                let refusal = await sentence { try await scene.store(lines, vectors: try rows(vectors), options) }
                #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "taken")")
            }
            #expect(try scene.memories.namespaces().map(\.name) == ["default", "made"])
        }
    }

    @Test("What is exported and imported is the same again, vectors and all, and nothing is paid for it")
    func roundTrip() async throws {
        try await MemoryScene.with { scene in
            var lines: [String] = []
            for number in 0..<1_203 {
                let vector = VectorText.json(scene.words.vector(of: "text \(number)")).text
                let head = #"{"text": "text \#(number)", "key": "k\#(number)", "importance": \#(Double(number % 5) / 4)"#
                lines.append(head + #", "metadata": {"n": \#(number), "s": "\u001b é"}, "model": "scripted/e5", "vector": \#(vector)}"#)
            }
            lines.append(#"{"text": "words alone", "vector": null, "expires_at": null, "recalled_at": "2026-01-01T00:00Z"}"#)
            try await scene.store(lines)
            let before = try await scene.all()
            #expect(before.count == 1_204)
            #expect(before.count { $0.vector != nil } == 1_203)

            try await MemoryScene.with { other in
                let lines = before.map { record in
                    var members: [JSONValue.Member] = [
                        .init("text", .string(record.memory.text)), .init("metadata", record.memory.metadata ?? .null),
                        .init("importance", .double(record.memory.importance)),
                        .init("created_at", .string(TimeText.format(record.memory.createdAt))),
                        .init("expires_at", record.memory.expiresAt.map { .string(TimeText.format($0)) } ?? .null),
                        .init("recalled_at", record.memory.recalledAt.map { .string(TimeText.format($0)) } ?? .null),
                        .init("vector", record.vector.map { VectorText.json($0) } ?? .null),
                    ]
                    if let key = record.memory.key { members.append(.init("key", .string(key))) }
                    if let model = record.model {
                        members += [.init("model", .string(model.target)), .init("passage_prefix", .string(model.passagePrefix))]
                    }
                    return JSONValue.object(members).text
                }
                try await other.store(lines)
                let after = try await other.all()
                #expect(after.map { $0.plain } == before.map { $0.plain })
                #expect(other.words.calls.isEmpty)
            }
            #expect(scene.words.calls.isEmpty)
        }
    }

    @Test func whatHasExpiredIsPassedOver() async throws {
        try await MemoryScene.with { scene in
            var options = BulkMemoryOptions()
            options.skipsExpired = true
            let lines = [#"{"text": "gone", "expires_at": "2001-01-01T00:00Z"}"#, #"{"text": "there", "expires_at": null}"#]
            try await scene.store(lines, options)
            #expect(try scene.memories.list(limit: 5).map(\.text) == ["there"])
        }
    }

    @Test func queriesFromLines() async throws {
        try await MemoryScene.with { scene in
            try await scene.store([#"{"text": "red apples", "metadata": {"n": 1}}"#, #"{"text": "old cars", "namespace": "cars"}"#])
            let path = "\(scene.folder)/queries.jsonl"
            func run(_ lines: [String]) async throws -> [[String]] {
                try write(Array(lines.joined(separator: "\n").utf8), to: path)
                let run = BulkQueries(
                    input: try BulkInput(path: path, spoolFolder: nil), template: MemoryQuery(namespaces: ["default"]))
                #expect(try run.check() == lines.count)
                var texts: [[String]] = []
                try await run.forEachSlice(2) { queries in
                    texts += try await scene.memories.search(queries).map { $0.hits.map(\.memory.text) }
                }
                return texts
            }
            let found = try await run([
                #"{"text": "apples"}"#, #"{"text": "cars", "namespace": "cars"}"#, #"{"text": "x", "namespace": ["cars", "default"]}"#,
                #"{"text": "apples", "where": "n > 1"}"#, #"{"text": "apples", "mode": "words", "limit": 1}"#,
            ])
            #expect(found.map(\.count) == [1, 1, 2, 0, 1])
            for (line, says) in [
                (#"{"txt": "x"}"#, "line 1: unknown key 'txt' (did you mean 'text'?)"), (#"{"limit": 5}"#, "line 1: a text to look for"),
                (#"{"text": "x", "where": "n >"}"#, "line 1: where: column 4"), (#"{"text": "x", "mode": "near"}"#, "line 1: mode must be"),
                (#"{"text": "x", "limit": 0}"#, "line 1: "), ("7", "line 1: a line must hold an object, not a number"),
            ] {
                let refusal = await sentence { _ = try await run([line]) }
                #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "taken")")
            }
        }
    }
}

extension MemoryScene {
    /// Everything, with vectors.
    fileprivate func all() async throws -> [MemoryRecord] {
        var records: [MemoryRecord] = []
        try await memories.export(withVectors: true) { records.append($0) }
        return records
    }
}

extension MemoryRecord {
    /// Without what is given anew.
    fileprivate var plain: MemoryRecord {
        var plain = self
        plain.memory.id = 0
        plain.memory.version = 0
        return plain
    }
}
