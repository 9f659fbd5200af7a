import AgentQueue
import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

@Suite struct KeysCommandTests {
    @Test func aKeyIsShownOnceAndOnlyItsHashIsStored() async throws {
        let sandbox = try Sandbox()
        let made = try await sandbox.run("keys", "create", "ci", "--targets", "local/*,openai/gpt-5*", "--expires-in", "30d")
        try #require(made.status == 0, "\(made.error)")
        let line = try #require(made.lines.first)
        let text = try #require(KeyText(line))
        #expect(made.lines.count == 1 && text.id == 1)
        #expect(made.sentence == "this is key 'ci'; save it now, because it is not shown again")
        let key = try #require(try await sandbox.withStore { try $0.keys.find(1) })
        #expect(key.accepts(secret: text.secret))
        #expect(key.targets == ["local/*", "openai/gpt-5*"] && key.queue == "api.ci" && key.scopes == [.call, .batch, .read])
        let secret = line.suffix(43)
        for command in ["list", "list --json", "show ci", "show ci --json"] {
            let shown = try await sandbox.shell("\"$AQ\" keys \(command)")
            #expect(shown.output.contains("api.ci") && !(shown.output + shown.error).contains(secret))
        }
        let file = try Data(contentsOf: URL(filePath: sandbox.database))
        #expect(file.range(of: Data(text.secret)) == nil && file.range(of: Data(secret.utf8)) == nil)
    }

    @Test func jsonHasEveryMember() async throws {
        let sandbox = try Sandbox()
        let made = try await sandbox.run(
            "keys", "create", "night", "--scopes", "call,read:all", "--queue", "nightly", "--cache", "on", "--on-disconnect", "finish",
            "--best-priority", "5", "--json")
        let json = try #require(try made.json.first)
        #expect(made.error.isEmpty)
        #expect(
            json.members?.map(\.key) == [
                "id", "name", "state", "scopes", "targets", "queue", "cache", "on_disconnect", "best_priority", "limits", "created_at",
                "expires_at", "last_used_at", "revoked_at", "key",
            ])
        #expect(json["scopes"] == ["call", "read:all"] && json["cache"] == true && json["queue"] == "nightly")
        #expect(json["best_priority"] == 5 && json["on_disconnect"] == "finish" && json["targets"] == .null && json["state"] == "valid")
        let listed = try await sandbox.run("keys", "list", "--json")
        #expect(try listed.json.first?["key"] == nil && listed.json.first?["name"] == "night")
    }

    @Test func limitsAreChangedOneByOneOrCleared() async throws {
        let sandbox = try Sandbox()
        let made = try await sandbox.run("keys", "create", "ci", "--rpm", "60", "--usd-per-day", "5", "--json")
        let limits = try #require(try made.json.first?["limits"])
        #expect(limits["rpm"] == 60 && limits["usd_per_day"] == 5 && limits["tpm"] == .null)
        let changed = try await sandbox.run("keys", "limits", "ci", "--concurrency", "4", "--json")
        let both = try #require(try changed.json.first)
        #expect(both["limits"]?["rpm"] == 60 && both["limits"]?["concurrency"] == 4 && both["use"]?["running"] == 0)
        let shown = try await sandbox.run("keys", "show", "ci")
        #expect(shown.output.contains("60 a minute, 60 left") && shown.output.contains("$5.00 a day (UTC), $0 spent"))
        let cleared = try await sandbox.run("keys", "limits", "ci", "--clear")
        #expect(cleared.status == 0 && cleared.output.contains("none"))
        for wrong in ["--json", "--rpm=0", "--usd-total=-1"] {
            #expect(try await sandbox.run("keys", "limits", "ci", wrong).status == 64, "\(wrong)")
        }
    }

    @Test func aNewSecretEndsTheFormerOneAndARevokedNameIsFree() async throws {
        let sandbox = try Sandbox()
        let made = try await sandbox.run("keys", "create", "ci")
        let first = try #require(KeyText(made.lines.first ?? ""))
        let rotated = try await sandbox.run("keys", "rotate", "ci")
        let second = try #require(KeyText(rotated.lines.first ?? ""))
        #expect(second.id == first.id && second != first)
        let key = try #require(try await sandbox.withStore { try $0.keys.find(first.id) })
        #expect(key.accepts(secret: second.secret) && !key.accepts(secret: first.secret))
        let revoked = try await sandbox.run("keys", "revoke", "ci")
        #expect(revoked.output == "key ci revoked\n")
        #expect(try await sandbox.run("keys", "list", "--json").lines.isEmpty)
        #expect(try await sandbox.run("keys", "list", "--revoked", "--json").json.first?["state"] == "revoked")
        let again = try await sandbox.run("keys", "create", "ci")
        #expect(KeyText(again.lines.first ?? "")?.id == 2)
        // Who did it is on record.
        let entries = try await sandbox.withStore { try $0.keys.audit() }
        #expect(entries.map(\.action) == ["key.create", "key.revoke", "key.rotate", "key.create"])
        #expect(entries.allSatisfy { $0.actor.hasPrefix("user ") })
    }

    @Test(
        arguments: [
            (["create", "Ci"], 64, "invalid key name 'Ci' (1 to 40 lower-case letters, digits and hyphens)"),
            (["create", "ci"], 65, "there is a key 'ci' already; revoke it or choose another name"),
            (["create", "x", "--scopes", "calls"], 64, "--scopes: unknown 'calls' (did you mean 'call'?)"),
            (["create", "x", "--best-priority", "0"], 64, "--best-priority must be 1 to 9, not 0"),
            (["rotate", "cy"], 65, "key 'cy' not found (did you mean 'ci'?); run 'agent-queue keys list' to see the keys"),
            (["revoke", "ci", "nobody"], 65, "key 'nobody' not found; run 'agent-queue keys list' to see the keys"),
            (["show", "7"], 65, "key '7' not found; run 'agent-queue keys list' to see the keys"),
        ] as [([String], Int32, String)])
    func saysWhatIsWrong(arguments: [String], status: Int32, sentence: String) async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("keys", "create", "ci").status == 0)
        let ending = try await sandbox.shell("\"$AQ\" keys \(arguments.joined(separator: " "))")
        #expect(ending.status == status && ending.sentence == sentence, "\(ending.error)")
        #expect(ending.output.isEmpty)
        // Nothing is half done.
        #expect(try await sandbox.run("keys", "list", "--json").lines.count == 1)
    }

    @Test func theEnvironmentComesFromTheKeyFile() async throws {
        let sandbox = try Sandbox()
        let missing = try await sandbox.run("keys", "env")
        #expect(missing.status == 69 && missing.sentence?.contains("start 'agent-queue serve' once") == true)
        let text = KeyText(id: 1, secret: [UInt8](repeating: 0xFB, count: 32)).text
        try FileManager.default.createDirectory(atPath: "\(sandbox.folder)/data", withIntermediateDirectories: true)
        let path = try sandbox.file("data/queue.db.key", "\(text)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let ending = try await sandbox.run("keys", "env")
        #expect(
            ending.lines == [
                "export OPENAI_BASE_URL=http://127.0.0.1:8484/v1", "export OPENAI_API_KEY=\(text)",
                "export ANTHROPIC_BASE_URL=http://127.0.0.1:8484", "export ANTHROPIC_API_KEY=\(text)",
            ])
        try sandbox.file("agent-queue.yaml", "serve: { public_url: https://queue.example/ai }\n")
        #expect(try await sandbox.run("keys", "env").lines.first == "export OPENAI_BASE_URL=https://queue.example/ai/v1")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = try await sandbox.run("keys", "env")
        #expect(open.status == 77 && open.sentence?.contains("run chmod 600 on it") == true && open.output.isEmpty)
    }
}

/// The key that the first start of a gateway makes.
@Suite struct LocalKeyTests {
    private let secrets = (0..<4).map { [UInt8](repeating: $0, count: 32) }

    @Test func aKeyThatNobodyKnowsGetsANewSecret() async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let local = LocalKey(database: sandbox.database)
        try await sandbox.withStore { store in
            // A process that died after the commit, before it wrote the file.
            let lost = try await store.keys.create(NewAPIKey(name: LocalKey.name), secret: secrets[0], by: "test")
            let isMended = try await local.makeFirst(in: store, secret: secrets[1], by: "test")
            let text = try local.read()
            #expect(isMended && text == KeyText(id: lost.id, secret: secrets[1]).text)
            let isMadeAgain = try await local.makeFirst(in: store, secret: secrets[2], by: "test")
            #expect(!isMadeAgain)
            // A key that was used has an owner, who may have removed the file.
            try await store.keys.touch(lost)
            try local.remove(lost.id)
            let isReplaced = try await local.makeFirst(in: store, secret: secrets[3], by: "test")
            let found = try store.keys.find(lost.id)
            let file = try local.read()
            #expect(!isReplaced && file == nil && found?.accepts(secret: secrets[1]) == true)
        }
    }

    @Test func aDatabaseWithKeysOfItsOwnGetsNone() async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let local = LocalKey(database: sandbox.database)
        try await sandbox.withStore { store in
            _ = try await store.keys.create(NewAPIKey(name: "ci"), secret: secrets[0], by: "test")
            let isMade = try await local.makeFirst(in: store, secret: secrets[1], by: "test")
            let keys = try store.keys.list(revoked: true)
            #expect(!isMade && keys.map(\.name) == ["ci"])
        }
    }
}

@Suite struct KeyTextTests {
    @Test func thereIsOneWayToWriteAKey() throws {
        var generator = SystemRandomNumberGenerator()
        for id in [1, 17, Int64.max] {
            let key = KeyText(id: id, secret: KeyText.randomSecret(using: &generator))
            #expect(key.text.utf8.count == "aq-\(id)-".utf8.count + 43)
            #expect(KeyText(key.text) == key)
        }
        let text = KeyText(id: 1, secret: [UInt8](repeating: 0xFF, count: 32)).text
        #expect(text == "aq-1-" + String(repeating: "_", count: 42) + "8")
        for wrong in [
            "", "aq-1-", "aq--1-\(text.suffix(43))", "aq-01-\(text.suffix(43))", "aq-+1-\(text.suffix(43))", "AQ-1-\(text.suffix(43))",
            String(text.dropLast()), text + "8", text.replacing("_", with: "/"), String(text.dropLast()) + "9", " \(text)",
        ] {
            #expect(KeyText(wrong) == nil, "\(wrong)")
        }
    }
}
