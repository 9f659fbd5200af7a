import AgentQueueModel
import Testing

/// The flags of `enqueue` are declared one by one; these tests hold them to the table of options.
@Suite struct JobFlagTests {
    /// What `enqueue` can be told that is no option of a job.
    private static let others: Set = [
        "--file", "--embed", "--memorize", "--jsonl", "--wait", "--skip-invalid", "--ingest", "--print-ids", "--dry-run", "--json",
        "--database", "--config", "--version", "--help", "--no-batch-api", "--image",
        "--csv", "--template", "--provider", "--wait-timeout",
    ]

    @Test func everyOptionHasItsFlagAndEveryFlagItsOption() async throws {
        let help = try await Sandbox().run("enqueue", "--experimental-dump-help")
        let arguments = try #require(try JSONValue.parse(help.output)["command"]?["arguments"]?.array)
        let names = arguments.flatMap { $0["names"]?.array ?? [] }.filter { $0["kind"]?.string == "long" }.compactMap { $0["name"]?.string }
        #expect(Set(names.map { "--\($0)" }).subtracting(Self.others) == Set(JobOption.all.compactMap(\.flag)))
    }

    @Test func everyFlagSetsItsOwnOption() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("schema.json", "{}")
        try sandbox.file("c.yaml", "roles: { r: { system: s } }\nnotifications: { n: { command: 'true' } }\n")
        let ending = try await sandbox.run(
            "schedule", "add", "@daily", "x", "--json", "--config", "c.yaml", "--role", "r", "--model", "local/m", "--system", "sys",
            "--max-tokens", "7", "--temperature", "0.5", "--schema", "schema.json", "--sample", "2", "--queue", "q", "--priority", "3",
            "--delay", "1m", "--expires-in", "2m", "--max-attempts", "4", "--timeout", "5s", "--budget", "0.25", "--tag", "t", "--batch",
            "b", "--metadata", "k=v", "--cache-ttl", "1h", "--no-batch-api", "--on-finish", "n", "--on-failure", "n", "--namespace", "ns",
            "--recall", "6",
            "--remember")
        #expect(ending.status == 0, "\(ending.error)")
        let expected: JSONValue = [
            "kind": "generate", "prompt": "x", "system": "sys", "role": "r", "model": "local/m", "max_tokens": 7, "temperature": 0.5,
            "schema": [:], "sample": 2, "queue": "q", "priority": 3, "delay": "1m", "expires_in": "2m", "max_attempts": 4,
            "timeout": "5s", "budget": 0.25, "tags": ["t"], "batch": "b", "metadata": ["k": "v"], "cache_ttl": "1h", "batch_api": false,
            "on_finish": ["n"], "on_failure": ["n"], "namespace": ["ns"], "recall": 6, "remember": true,
        ]
        let job = try #require(try JSONValue.parse(ending.output)["work"]?["job"])
        #expect(job.canonicalText == expected.canonicalText)

        let memory = try await sandbox.run(
            "enqueue", "--memorize", "text", "--key", "k", "--importance", "0.25", "--ttl", "1h", "--no-cache", "--at",
            "2027-01-01T00:00Z", "--unique-key", "u", "--namespace", "ns")
        #expect(memory.status == 0, "\(memory.error)")
        let shown = try JSONValue.parse(try await sandbox.run("show", "1", "--json").output)
        #expect(
            shown["request"]?["memory"]?.canonicalText
                == #"{"cache":false,"importance":0.25,"key":"k","namespace":"ns","prefix":"passage: ","ttl_ms":3600000}"#)
        #expect((shown["scheduled_at"]?.string, shown["unique_key"]?.string) == ("2027-01-01T00:00:00.000Z", "u"))
    }
}
