import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

/// config, providers, doctor, cache.
@Suite struct SetUpCommandTests {
    @Test("config init writes a file that config check accepts, and overwrites none")
    func configInit() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("config", "init").output == "agent-queue.yaml written\n")
        #expect(try await sandbox.run("config", "check").output == "agent-queue.yaml is valid\n")
        let again = try await sandbox.run("config", "init")
        #expect(again.status == 64)
        #expect(again.sentence == "'agent-queue.yaml' already exists; use --force to overwrite it")
        #expect(try await sandbox.run("config", "init", "--force").status == 0)
        let printed = try await sandbox.run("config", "init", "--config", "-")
        #expect(try printed.output == sandbox.read("agent-queue.yaml"))
    }

    @Test("A bad configuration is named by file, line and key, with 78 from every command")
    func badConfig() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "worker:\n  concurency: 5\ncache:\n  ttl: soon\n")
        let list = try await sandbox.run("list")
        #expect(list.status == 78)
        #expect(list.sentence?.hasPrefix("agent-queue.yaml:2: ") == true)
        #expect(list.sentence?.contains("(did you mean 'concurrency'?)") == true)
        let check = try await sandbox.run("config", "check", "--json")
        #expect(check.status == 78)
        #expect(try check.json.first?["ok"] == false)
        #expect(try check.json.first?["faults"]?.array?.count == 2)
        #expect(try await sandbox.run("doctor").status == 78)
    }

    @Test("config show tells where each value came from, and no secret")
    func configShow() async throws {
        let sandbox = try Sandbox()
        try sandbox.file(
            "agent-queue.yaml", "worker:\n  concurrency: 9\nproviders:\n  own: { kind: openai, base_url: 'http://u:canary@h/v1' }\n")
        let ending = try await sandbox.run("config", "show", "--json", environment: ["CACHE_MAX_SIZE": "77", "OPENAI_API_KEY": "canary"])
        let entries = try ending.json
        func entry(_ key: String) -> JSONValue? { entries.first { $0["key"]?.string == key } }
        #expect(entry("worker.concurrency") == ["key": "worker.concurrency", "value": "9", "from": "agent-queue.yaml:2"])
        #expect(entry("cache.max_entries")?["from"] == "environment CACHE_MAX_SIZE")
        #expect(entry("database")?["from"] == "environment AGENT_QUEUE_DATABASE")
        #expect(entry("worker.processes")?["from"] == "default")
        #expect(!ending.output.contains("canary"))
        for command in ["config show", "providers list", "providers list --json"] {
            #expect(try await !sandbox.shell("OPENAI_API_KEY=canary \"$AQ\" \(command)").output.contains("canary"), "\(command)")
        }
    }

    @Test("--database beats the environment")
    func database() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "x", "--database", "other.db")
        #expect(try await sandbox.run("list", "--json").output.isEmpty)
        #expect(try await sandbox.run("list", "--json", "--database", "other.db").lines.count == 1)
        let mode = try await sandbox.shell("umask 000; \"$AQ\" enqueue x; stat -c %a data data/*; stat -c %a other.db")
        #expect(Set(mode.lines.dropFirst()) == ["700", "600"])
    }

    @Test("providers check asks, and says who does not answer")
    func providersCheck() async throws {
        let answer = ScriptedAnswer(
            json: #"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}"#)
        try await ScriptedServer.withServer(.always(answer)) { server in
            let sandbox = try Sandbox()
            try sandbox.file(
                "agent-queue.yaml",
                """
                providers:
                  local: { kind: openai, base_url: '\(server.url)/v1' }
                  gone: { kind: openai, base_url: 'http://127.0.0.1:1/v1' }
                http: { max_retries: 0 }
                """)
            let good = try await sandbox.run("providers", "check", "local/m", "--json")
            #expect(good.status == 0, "\(good.output)\(good.error)")
            #expect(try good.json.first?["status"] == "answers")
            #expect(try good.json.first?["model"] == "m")
            let bad = try await sandbox.run("providers", "check", "local/m", "gone/m", "openai", "--json")
            #expect(bad.status == 69)
            #expect(try bad.json.map { $0["status"] } == ["answers", "failed", "failed"])
            #expect(bad.sentence == "no answer from gone, openai")
        }
    }

    @Test("The cache is listed, read, and emptied")
    func cache() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        _ = try await sandbox.run("enqueue", "two")
        try await sandbox.work { $0.contains("one") ? "first" : "second" }
        #expect(try await sandbox.run("cache", "stats", "--json").json.first?["entries"] == 2)
        let digest = try #require(try await sandbox.run("show", "1", "--json").json.first?["digest"]?.string)
        #expect(try await sandbox.run("cache", "list", "--json").json.contains { $0["digest"]?.string == digest })
        #expect(try await sandbox.run("cache", "get", String(digest.prefix(16))).output == "first\n")
        #expect(try await sandbox.run("cache", "get", digest, "--json").json.first?["reply"]?["text"] == "first")
        #expect(try await sandbox.run("cache", "delete", digest).status == 0)
        #expect(try await sandbox.run("cache", "get", digest).status == 65)
        #expect(try await sandbox.run("cache", "clear").output == "1 cache entry deleted\n")
        #expect(try await sandbox.run("cache", "stats", "--json").json.first?["entries"] == 0)
    }

    @Test("The doctor names what waits, and how to mend it")
    func doctor() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        let ending = try await sandbox.run("doctor")
        #expect(ending.status == 0, "\(ending.output)")
        #expect(ending.output.contains("workers: none running, 1 job waiting; start 'agent-worker'"))
        #expect(try await sandbox.run("doctor", "--json").json.allSatisfy { $0["level"] != "fault" })
    }
}
