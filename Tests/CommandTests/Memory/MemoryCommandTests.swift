import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

/// `agent-queue memory`, as a person or a script uses it.
@Suite struct MemoryCommandTests {
    /// A sandbox whose embedding model is a scripted server.
    private static func with(_ body: (Sandbox, WordVectors) async throws -> Void) async throws {
        let words = WordVectors()
        try await ScriptedServer.withServer(words.script) { server in
            let sandbox = try Sandbox()
            try sandbox.file(
                "agent-queue.yaml",
                """
                memory: { embedding_model: scripted/e5, batch_size: 2 }
                providers: { scripted: { kind: openai, base_url: '\(server.url)/v1' } }
                """)
            try await body(sandbox, words)
        }
    }

    @Test("Store, search, list, get, delete: for people and for scripts")
    func flow() async throws {
        try await Self.with { sandbox, words in
            let stored = try await sandbox.run("memory", "store", "red apples", "green pears", "--metadata", "kind=fruit")
            #expect(stored.output == "1\n2\n", "\(stored.error)")
            let again = try await sandbox.run("memory", "store", "red apples", "old cars", "--metadata", "kind=fruit", "--json")
            #expect(
                try again.json == [
                    ["id": 1, "outcome": "duplicate", "expires_at": .null], ["id": 3, "outcome": "stored", "expires_at": .null],
                ])
            let keyed = try await sandbox.run("memory", "store", "-", "--key", "k", "--ttl", "never", input: Array("new cars\n".utf8))
            #expect(keyed.output == "4\n")
            let replaced = try await sandbox.run("memory", "store", "blue cars", "--key", "k", "--ttl", "never", "--json")
            #expect(try replaced.json == [["id": 4, "outcome": "updated", "expires_at": .null]])

            let table = try await sandbox.run("memory", "search", "apples", "--limit", "1")
            #expect(
                table.lines.count == 2 && table.lines[1].hasSuffix(#"1  red apples  {"kind":"fruit"}"#), "\(table.output)\(table.error)")
            let answers = try await sandbox.run("memory", "search", "red apples", "blue cars", "--json").json
            #expect(answers.map { $0["query"] } == ["red apples", "blue cars"])
            #expect(answers.map { $0["hits"]?.array?.first?["id"] } == [1, 4])
            #expect(abs((answers[0]["hits"]?.array?.first?["score"]?.number ?? 0) - 1) < 1e-6)
            let filtered = try await sandbox.run("memory", "search", "cars", "--where", "kind = \"fruit\"", "--mode", "words", "--json")
            #expect(try filtered.json.first?["hits"]?.array?.map { $0["text"] } == ["old cars"])
            let explained = try await sandbox.run("memory", "search", "cars", "--explain", "--json").json.first
            #expect(explained?["explain"]?.array?.first?["scanned"] == 4)
            #expect(try await sandbox.run("memory", "search", "cars", "--explain").output.contains("4 vectors"))

            let listed = try await sandbox.run("memory", "list", "--json").json
            #expect(listed.map { $0["id"] } == [4, 3, 2, 1])
            #expect(listed.first?["expires_at"] == .null)
            #expect(try await sandbox.run("memory", "list", "--limit", "1").lines.count == 2)
            let got = try await sandbox.run("memory", "get", "--key", "k", "--json").json.first
            #expect(got?["text"] == "blue cars")
            let vector = try await sandbox.run("memory", "get", "1", "--vector", "--json").json.first?["vector"]?.array
            #expect(vector?.compactMap(\.number).map { Float($0) } == words.vector(of: "red apples"))
            #expect(try await sandbox.run("memory", "get", "4").output.contains("\n    blue cars\n"))

            let statistics = try await sandbox.run("memory", "stats", "--json").json
            #expect(statistics.map { $0["memories"] } == [4])
            #expect(statistics.first?["dimension"] == 16)
            #expect(statistics.first?["retention"] == .null && statistics.first?["expiring"] == 0)
            #expect(try await sandbox.run("stats", "--json").json.first?["memories"] == 4)
            let deleted = try await sandbox.run("memory", "delete", "1", "99", "--json")
            #expect(deleted.status == 65)
            #expect(try deleted.json == [["id": 1, "deleted": true], ["id": 99, "deleted": false]])
            #expect(deleted.sentence == "memory 99 not found")
            let asked = try await sandbox.run("memory", "delete", "--namespace", "default")
            #expect(asked.sentence == "namespace 'default' has 3 memories; use --yes to delete them all")
            #expect(try await sandbox.run("memory", "delete", "--namespace", "default", "--yes").output == "3 memories deleted\n")
            #expect(try await sandbox.run("database", "check").status == 0)
        }
    }

    @Test("Files of lines: checked whole, stored in batches, read from a pipe too")
    func files() async throws {
        try await Self.with { sandbox, words in
            let lines = (1...5).map { #"{"text": "text number\#($0)", "key": "k\#($0)"}"# }
            try sandbox.file("in.jsonl", lines.joined(separator: "\n"))
            let stored = try await sandbox.run("memory", "store", "--jsonl", "in.jsonl", "--namespace", "notes")
            #expect(stored.output == "1\n2\n3\n4\n5\n")
            #expect(stored.error == "5 memories stored\n")
            #expect(words.calls.map(\.count) == [2, 2, 1])
            let piped = try await sandbox.run(
                "memory", "store", "--jsonl", "-", "--namespace", "notes", "--json",
                input: Array((lines + [#"{"text": "six"}"#]).joined(separator: "\n").utf8))
            let outcomes: [JSONValue?] = ["duplicate", "duplicate", "duplicate", "duplicate", "duplicate", "stored"]
            #expect(try piped.json.map { $0["outcome"] } == outcomes)
            #expect(piped.error == "1 memory stored, 5 already existed\n")
            try sandbox.file("bad.jsonl", lines.joined(separator: "\n") + "\n{\"text\": \"\"}\n")
            let bad = try await sandbox.run("memory", "store", "--jsonl", "bad.jsonl", "--namespace", "bad")
            #expect(bad.status == 65)
            #expect(bad.sentence == "bad.jsonl: line 6: the text is empty; nothing stored")
            try sandbox.file("queries.jsonl", #"{"text": "six"}"# + "\n" + #"{"text": "number3", "limit": 1}"#)
            let found = try await sandbox.run("memory", "search", "--jsonl", "queries.jsonl", "--namespace", "notes", "--json").json
            #expect(found.map { $0["hits"]?.array?.first?["text"] } == ["six", "text number3"])
            #expect(try await sandbox.run("memory", "stats", "--json").json.map { $0["namespace"] } == ["notes"])
        }
    }

    @Test("A model that fails in the middle: what is printed is stored, and the same command goes on")
    func interrupted() async throws {
        try await Self.with { sandbox, words in
            let texts = (1...6).map { $0 == 5 ? "poison" : "text number\($0)" }
            let lines = texts.map { #"{"text": "\#($0)"}"# }
            try sandbox.file("in.jsonl", lines.joined(separator: "\n"))
            words.refuse("poison")
            let failed = try await sandbox.run("memory", "store", "--jsonl", "in.jsonl")
            #expect(failed.status == 65)
            #expect(failed.output == "1\n2\n3\n4\n")
            #expect(
                failed.sentence?.hasSuffix("4 memories had been stored; run the same command again to continue") == true,
                "\(failed.error)")
            words.refuse(nil)
            let again = try await sandbox.run("memory", "store", "--jsonl", "in.jsonl")
            #expect(again.error == "2 memories stored, 4 already existed\n")
        }
    }

    @Test("Export and import: the same again in another database, in lines or beside them, and nothing is paid for it")
    func exportAndImport() async throws {
        try await Self.with { sandbox, words in
            _ = try await sandbox.run(
                "memory", "store", "red apples", "green pears", "--metadata", #"{"n": 1.5, "s": "é"}"#, "--importance", "0.9")
            _ = try await sandbox.run("memory", "store", "old cars", "--key", "k", "--namespace", "n2", "--ttl", "never")
            _ = try await sandbox.run("memory", "search", "apples", "--limit", "1")
            let calls = words.calls.count
            let inline = try await sandbox.run("memory", "export", "--with-vectors")
            #expect(inline.lines.count == 3)
            #expect(inline.error == "3 memories exported\n")
            let written = try await sandbox.run("memory", "export", "--output", "e.jsonl", "--vectors", "e.npy", "--json")
            #expect(try written.json == [["memories": 3, "output": "e.jsonl", "vectors": "e.npy"]])
            try sandbox.file("inline.jsonl", inline.output)

            for (number, arguments) in ["inline.jsonl", "e.jsonl --vectors e.npy"].enumerated() {
                let place = "AGENT_QUEUE_DATABASE=\(sandbox.folder)/other\(number).db"
                let imported = try await sandbox.shell("\(place) \"$AQ\" memory import \(arguments) --json")
                #expect(imported.output == #"{"stored":3,"updated":0,"duplicates":0,"expired":0}"# + "\n", "\(imported.error)")
                let again = try await sandbox.shell("\(place) \"$AQ\" memory export --with-vectors")
                #expect(again.output == inline.output)
                let twice = try await sandbox.shell("\(place) \"$AQ\" memory import \(arguments)")
                #expect(twice.output == "0 memories stored, 3 already existed\n")
                #expect(try await sandbox.shell("\(place) \"$AQ\" database check").status == 0)
            }
            #expect(words.calls.count == calls)
            let moved = try await sandbox.run("memory", "import", "e.jsonl", "--namespace", "n3")
            #expect(moved.output == "3 memories stored\n")
            #expect(words.calls.count > calls)
            let mismatch = try await sandbox.shell("head -n 2 e.jsonl | \"$AQ\" memory import - --vectors e.npy --namespace n4")
            #expect(mismatch.status == 65)
            #expect(mismatch.sentence == "standard input: e.npy has 3 rows, for 2 lines; nothing stored")
        }
    }

    @Test("No stored text steers a terminal, in any command or format")
    func escaping() async throws {
        try await Self.with { sandbox, _ in
            let hostile = "\u{1B}[31mred\u{07}\u{7F}\u{9B}2J\u{202E}drawkcab\u{2066}\u{200F}\r\nnext\u{2028}"
            _ = try await sandbox.run(
                "memory", "store", hostile, "--key", "k\u{202E}", "--metadata", "m\u{1B}=\u{9B}v", "--namespace", "n\u{202E}")
            for line in [
                "list", "list --json", "get 1", "get 1 --json", "get 1 --vector", "stats", "stats --json", "export",
                "export --with-vectors",
                "search red --namespace n\u{202E}", "search red --namespace n\u{202E} --json --explain",
                "search red --namespace n\u{202E} --explain",
                "search \u{1B}[1m red --namespace n\u{202E}", "search x --namespace \u{9B}", "search x --namespace nn\u{202E}",
                "search x --where \u{1B}[1m", "get --key \u{202E}", "delete --namespace n\u{202E}", "store --file \u{9B}",
                "import \u{9B}.jsonl", "export --output /\u{9B}/x", "import /dev/null --vectors \u{9B}.npy", "store x --key \u{1B}",
                "search x --mode \u{1B}", "store x --ttl \u{1B}",
            ] {
                let arguments = line.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
                let ending = try await sandbox.shell("\"$AQ\" memory \(arguments)")
                for scalar in (ending.output + ending.error).unicodeScalars where scalar != "\n" && scalar != "\t" {
                    let isHidden =
                        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar.properties.generalCategory == .format
                        || scalar.value == 0x2028
                    #expect(!isHidden, "\(line) prints U+\(String(scalar.value, radix: 16))")
                }
                #expect(!(ending.output + ending.error).isEmpty, "\(line)")
            }
            #expect(try await sandbox.run("memory", "get", "1", "--json").json.first?["text"] == .string(hostile))
        }
    }

    @Test("A reader that goes away ends a command quietly")
    func closedPipe() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...3_000).map { #"{"text": "text \#($0)", "vector": [\#($0), 1]}"# }.joined(separator: "\n"))
        let stored = try await sandbox.shell(#""$AQ" memory store --jsonl in.jsonl | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}""#)
        #expect(stored.output == "0\n")
        #expect(stored.error == "3,000 memories stored\n")
        for command in ["list --limit 3000", "export", "search --vector '[1, 1]' --limit 3000 --json"] {
            let ending = try await sandbox.shell(#""$AQ" memory \#(command) | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}""#)
            #expect(ending.output == "0\n", "\(command)")
            #expect(ending.error.isEmpty, "\(command): \(ending.error)")
        }
    }

    @Test("The doctor says whose model is not the configured one, or cannot be called")
    func doctor() async throws {
        try await Self.with { sandbox, _ in
            _ = try await sandbox.run("memory", "store", "red apples")
            #expect(try await !sandbox.run("doctor").output.contains("memory 'default'"))
            try sandbox.file("other.yaml", sandbox.read("agent-queue.yaml").replacing("scripted/e5", with: "scripted/other"))
            let other = try await sandbox.run("doctor", "--config", "other.yaml").output
            #expect(other.contains("memory 'default': holds vectors of scripted/e5, and memory.embedding_model is scripted/other"))
            try sandbox.file("none.yaml", "memory: { vectors: true }\n")
            let none = try await sandbox.run("doctor", "--config", "none.yaml").output
            #expect(none.contains("memory 'default': needs provider scripted for its model scripted/e5, which cannot be called"), "\(none)")
        }
    }
}
