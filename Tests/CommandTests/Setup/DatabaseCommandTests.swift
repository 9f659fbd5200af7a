import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

@Suite struct DatabaseCommandTests {
    @Test("A file that is not ours, newer, damaged or no file is refused with its code")
    func strangers() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("text.db", String(repeating: "this is no database. ", count: 100))
        _ = try await sandbox.run("enqueue", "x")
        _ = try await sandbox.run("database", "backup", "newer.db")
        // The user version is the big-endian word at offset 60 of an SQLite file.
        var bytes = try Data(contentsOf: URL(filePath: "\(sandbox.folder)/newer.db"))
        bytes[63] = 99
        try bytes.write(to: URL(filePath: "\(sandbox.folder)/newer.db"))
        for (file, status, says) in [
            ("text.db", 65, "not an agent-queue database"), ("newer.db", 69, "later version"), (".", 77, "not a plain file"),
        ] {
            let ending = try await sandbox.run("enqueue", "x", "--database", file)
            #expect(ending.status == Int32(status), "\(file): \(ending.error)")
            #expect(ending.sentence?.contains(says) == true, "\(ending.error)")
        }
    }

    @Test("migrate and status tell the schema's steps")
    func schema() async throws {
        let sandbox = try Sandbox()
        let made = try #require(try await sandbox.run("database", "migrate", "--json").json.first)
        #expect(made["applied"]?.array?.first == "v001_jobs")
        #expect(try await sandbox.run("database", "migrate").output.hasSuffix("is up to date\n"))
        let status = try #require(try await sandbox.run("database", "status", "--json").json.first)
        #expect(status["applied"]?.array?.first == "v001_jobs")
        #expect(status["pending"] == [])
        #expect(status["bytes"]?.int != nil)
    }

    @Test("A backup is restored, and what stood there is kept")
    func backup() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "kept")
        #expect(try await sandbox.run("database", "backup", "copy.db").output == "copy.db written\n")
        let again = try await sandbox.run("database", "backup", "copy.db")
        #expect(again.status == 65)
        _ = try await sandbox.run("enqueue", "lost")
        // The store of this process counts as a user.
        try await sandbox.withStore { _ in
            let busy = try await sandbox.run("database", "restore", "copy.db")
            #expect(busy.status == 69, "\(busy.error)")
        }
        let ending = try await sandbox.run("database", "restore", "copy.db", "--json")
        #expect(ending.status == 0, "\(ending.error)")
        #expect(try ending.json.first?["replaced"]?.string != nil)
        #expect(try await sandbox.run("list", "--json").json.map { $0["id"] } == [1])
        #expect(try await sandbox.run("database", "check", "--json").json.first?["ok"] == true)
    }

    @Test("vacuum makes the file smaller, and refuses beside a live worker")
    func vacuum() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...3_000).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n"))
        _ = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--batch", "b")
        _ = try await sandbox.run("cancel", "--batch", "b", "--yes")
        _ = try await sandbox.run("delete", "--batch", "b", "--yes")
        try await sandbox.withStore { store in
            let worker = try await store.claims.registerWorker()
            #expect(try await sandbox.run("database", "vacuum").status == 69)
            try await store.claims.unregisterWorker(worker.id)
        }
        let ending = try await sandbox.run("database", "vacuum", "--json")
        #expect(ending.status == 0, "\(ending.error)")
        let sizes = try #require(try ending.json.first)
        #expect(try #require(sizes["bytes_after"]?.int) < #require(sizes["bytes_before"]?.int))
    }

    @Test("prune --vacuum gives pages back")
    func shrink() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...3_000).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n"))
        _ = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--batch", "b")
        _ = try await sandbox.run("cancel", "--batch", "b", "--yes")
        let report = try #require(try await sandbox.run("prune", "--older-than", "0s", "--vacuum", "--json").json.first)
        #expect(report["jobs"] == 3_000)
        #expect(try #require(report["bytes_freed"]?.int) > 100_000)
        // Whoever opens a database without a log makes and drops a table, whose page is free then.
        let free = try #require(try await sandbox.run("stats", "--json").json.first?["database"]?["free_bytes"]?.int)
        #expect(free <= 4_096)
    }
}
