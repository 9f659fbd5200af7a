import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

@testable import agent_queue

/// `enqueue --dry-run`: what adding would come to, and nothing added.
@Suite struct DryRunTests {
    private static let keys = ["jobs", "cached", "repeated", "unique_key_taken", "to_call", "max_cost_usd", "unpriced", "targets"]
    private static let prices = """
        models:
          openai/dear: { price: { input_per_mtok: 0, output_per_mtok: 1000 }, max_output_tokens: 1000 }

        """

    private func forecast(_ sandbox: Sandbox, _ lines: String, _ arguments: String...) async throws -> JSONValue {
        try sandbox.file("in.jsonl", lines)
        let all = (["enqueue", "--jsonl", "in.jsonl", "--dry-run", "--json"] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let ending = try await sandbox.shell("\"$AQ\" \(all)")
        try #require(ending.status == 0, "\(ending.error)")
        let forecast = try #require(try ending.json.first)
        #expect(try ending.json.count == 1)
        #expect(forecast.members?.map(\.key) == Self.keys)
        return forecast
    }

    private func jobs(_ sandbox: Sandbox) async throws -> Int { try await sandbox.run("list", "--json").json.count }

    @Test("Each job is counted as one thing, and nothing is added")
    func counts() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", Self.prices)
        _ = try await sandbox.run("enqueue", "known")
        try await sandbox.work()
        _ = try await sandbox.run("enqueue", "holder", "--unique-key", "k")
        let lines = """
            {"prompt": "known"}
            {"prompt": "known"}
            {"prompt": "known", "cache": false}
            {"prompt": "new"}

            {"prompt": "new", "priority": 1, "tags": ["t"]}
            {"prompt": "new", "sample": 1}
            {"prompt": "x", "unique_key": "k"}
            {"prompt": "y", "unique_key": "l"}
            {"prompt": "z", "unique_key": "l"}
            {"prompt": "costs", "model": "openai/dear"}
            {"prompt": "costs half", "model": "openai/dear", "batch_api": true}
            """
        let forecast = try await forecast(sandbox, lines)
        #expect(forecast["jobs"] == 11)
        #expect(forecast["cached"] == 2)
        #expect(forecast["repeated"] == 1)
        #expect(forecast["unique_key_taken"] == 2)
        #expect(forecast["to_call"] == 6)
        #expect(forecast["max_cost_usd"]?.number == 1.5)
        #expect(forecast["unpriced"] == 0, "a server on this machine is free")
        #expect(try await jobs(sandbox) == 2)
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["cache"]?["hits"] == 0)

        // And so it comes: the cached are answered at once, the keys refused.
        let added = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--json").json
        #expect(added.count { $0["state"] == "completed" } == 2)
        #expect(added.count { $0["duplicate_of"] != .null } == 2)
    }

    @Test("For people, a line each")
    func sheet() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", Self.prices)
        try sandbox.file("in.jsonl", #"{"prompt":"a","model":"openai/dear"}"# + "\n" + #"{"prompt":"b"}"#)
        let both = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--dry-run")
        #expect(both.lines.contains { $0.wholeMatch(of: /jobs +2/) != nil })
        #expect(both.lines.contains { $0.wholeMatch(of: /maximum cost +\$1\.00/) != nil })
        #expect(!both.lines.contains { $0.hasPrefix("unknown price") })
        #expect(both.error.isEmpty)
        let one = try await sandbox.run("enqueue", "b", "--dry-run")
        #expect(one.lines.contains { $0.wholeMatch(of: /maximum cost +\$0/) != nil })
    }

    @Test("A single prompt, texts to embed, standard input")
    func otherInputs() async throws {
        let sandbox = try Sandbox()
        for arguments in [["prompt"], ["--embed", "a", "b"]] {
            let line = (["enqueue"] + arguments + ["--dry-run", "--json"]).joined(separator: " ")
            let ending = try await sandbox.shell("\"$AQ\" \(line)")
            #expect(try ending.json.first?["to_call"] == 1, "\(ending.error)")
        }
        let piped = try await sandbox.shell(#"printf '{"prompt":"a"}\n{"prompt":"a"}' | "$AQ" enqueue --jsonl - --dry-run --json"#)
        #expect(try piped.json.first?["repeated"] == 1, "\(piped.error)")
    }

    @Test("Where no database is, none is made, and nothing is cached")
    func noDatabase() async throws {
        let sandbox = try Sandbox()
        let forecast = try await forecast(sandbox, #"{"prompt":"a"}"#)
        #expect(forecast["to_call"] == 1)
        #expect(try await sandbox.run("enqueue", "a", "--dry-run").status == 0)
        let waiting = try await sandbox.run("enqueue", "a", "--after", "1", "--dry-run")
        #expect(waiting.status == 65)
        #expect(waiting.sentence?.contains("job 1, named by --after, does not exist") == true)
        #expect(!FileManager.default.fileExists(atPath: sandbox.database))
        #expect(!FileManager.default.fileExists(atPath: "\(sandbox.folder)/data"))
    }

    @Test("A bad line stops it with its number; with --skip-invalid it is skipped")
    func badLines() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \"b\", \"deadline\": \"1h\"}\n")
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--dry-run")
        #expect(ending.status == 65)
        #expect(ending.sentence?.contains("line 2: deadline is for a job that uses the batch API") == true)
        #expect(ending.output.isEmpty)
        let skipping = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--dry-run", "--skip-invalid", "--json")
        #expect(try skipping.json.first?["jobs"] == 1)
        #expect(skipping.error.contains("line 2"))
    }

    @Test("Lines that an ingest has added before are left out")
    func ingest() async throws {
        let sandbox = try Sandbox()
        let lines = (1...1_500).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n")
        #expect(try await forecast(sandbox, lines, "--ingest", "i")["jobs"] == 1_500)
        #expect(try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "i").status == 0)
        #expect(try await forecast(sandbox, lines, "--ingest", "i")["jobs"] == 0)
        #expect(try await forecast(sandbox, lines, "--ingest", "j")["jobs"] == 1_500)
        #expect(try await sandbox.run("list", "--limit", "5000", "--json").json.count == 1_500)
    }
}
