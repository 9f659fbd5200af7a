import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

/// How providers stand: `providers list`, `providers resume`, `doctor`, `stats`.
@Suite struct ProviderStandingTests {
    @Test("providers list makes no database where there is none")
    func makesNone() async throws {
        let sandbox = try Sandbox()
        let list = try await sandbox.run("providers", "list")
        #expect(list.status == 0)
        #expect(list.lines.map { String($0.prefix { $0 != " " }) }.prefix(3) == ["NAME", "anthropic", "claude-code"])
        #expect(try await sandbox.run("providers", "list", "--json").status == 0)
        #expect(try await sandbox.run("doctor").status == 0)
        #expect(!FileManager.default.fileExists(atPath: "\(sandbox.folder)/data"))
        #expect(!FileManager.default.fileExists(atPath: "\(sandbox.folder)/home"))
    }

    @Test("providers list: an object a line")
    func shape() async throws {
        let sandbox = try Sandbox()
        let providers = try await sandbox.run("providers", "list", "--json").json
        #expect(providers.map { $0["name"] } == ["anthropic", "claude-code", "local", "local-embeddings", "openai"])
        let keys = [
            "name", "kind", "base_url", "command", "key", "available", "reason", "limits", "paused_until", "pause_class", "pause_reason",
            "on_trial", "breaker", "running", "left_per_minute", "spent_today_usd", "unpriced_today", "reserved_usd", "last_error",
            "targets",
        ]
        for provider in providers { for key in keys { #expect(provider[key] != nil, "\(key)") } }
        let local = try #require(providers.first { $0["name"] == "local" })
        #expect(local["kind"] == "openai")
        #expect(local["key"] == "not_needed")
        #expect(local["available"] == true)
        #expect(local["breaker"] == ["state": "closed", "until": .null])
        #expect(local["targets"] == [])
        let openAI = try #require(providers.last)
        #expect(openAI["key"] == "missing")
        #expect(openAI["available"] == false)
        #expect(openAI["reason"]?.string?.contains("OPENAI_API_KEY is not set") == true)
        #expect(openAI["limits"]?["rpm"] == 500)
        #expect(openAI["limits"]?["usd_per_day"]?.number == 20)
    }

    @Test("A refused key pauses its provider: it is shown, the doctor says what to do, and resume ends it")
    func pause() async throws {
        let sandbox = try Sandbox()
        for prompt in ["one", "two"] { _ = try await sandbox.run("enqueue", prompt) }
        let failed = try await sandbox.fail("the key was refused", slots: 1) { job in
            CallReport(target: job.route, failure: .authentication, scope: .provider)
        }
        #expect(failed == 1)

        let local = try #require(try await sandbox.local())
        #expect(local["paused_until"]?.string != nil)
        #expect(local["pause_class"] == "authentication")
        #expect(local["pause_reason"] == "the key was refused")
        #expect(local["last_error"]?["class"] == "authentication")
        #expect(local["last_error"]?["message"] == "the key was refused")
        #expect(local["targets"]?.array?.map { $0["name"] } == ["local/smollm2"])
        #expect(local["targets"]?.array?.first?["paused_until"] == .null)
        let row = try #require(try await sandbox.run("providers", "list").lines.first { $0.hasPrefix("local ") })
        #expect(row.contains("paused, resumes in ") && row.contains(": the key was refused"))
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["providers"]?.array?.map { $0["name"] } == ["local", "local/smollm2"])
        #expect(stats["providers"]?.array?.first?["pause_class"] == "authentication")
        #expect(try await sandbox.run("stats").output.contains("paused, resumes in "))

        let doctor = try await sandbox.run("doctor")
        #expect(doctor.status == 69)
        let finding = try #require(doctor.lines.first { $0.hasPrefix("fault ") })
        #expect(finding.hasPrefix("fault provider local: is paused, resumes in "))
        #expect(finding.hasSuffix(": the key was refused; fix its API key, then run 'agent-queue providers resume local'"))
        let findings = try await sandbox.run("doctor", "--json")
        #expect(findings.status == 69)
        #expect(try findings.json.filter { $0["level"] == "fault" }.map { $0["subject"] } == ["provider local"])

        #expect(try await sandbox.claimable() == 0)
        #expect(try await sandbox.run("providers", "resume", "local").output == "provider local resumed\n")
        #expect(try await sandbox.local()?["paused_until"] == .null)
        #expect(try await sandbox.run("doctor").status == 0)
        #expect(try await sandbox.claimable() == 1)
    }

    @Test("An empty account is a fault as well; a rate limit is not")
    func otherPauses() async throws {
        for (failure, status, says) in [
            (FailureClass.quotaExhausted, Int32(69), "fault provider local: is paused, resumes in "),
            (.rateLimited, 0, "note  provider local: is paused, resumes in "),
        ] {
            let sandbox = try Sandbox()
            _ = try await sandbox.run("enqueue", "one")
            try await sandbox.fail("not now") { CallReport(target: $0.route, failure: failure, retryAfter: 3_600_000, scope: .provider) }
            let doctor = try await sandbox.run("doctor")
            #expect(doctor.status == status)
            let finding = try #require(doctor.lines.first { $0.hasPrefix(says) }, "\(doctor.output)")
            #expect(finding.contains(": not now; "))
            #expect(finding.contains("'agent-queue providers resume local'") == (status == 69))
        }
    }

    @Test("A provider that keeps failing is left alone: its breaker is shown, and resume closes it")
    func breaker() async throws {
        let sandbox = try Sandbox()
        for number in 1...6 { _ = try await sandbox.run("enqueue", "question \(number)") }
        let failed = try await sandbox.fail("the server broke", slots: 5) { job in
            CallReport(target: job.route, failure: .retryable, scope: .provider)
        }
        #expect(failed == 5)
        let local = try #require(try await sandbox.local())
        #expect(local["breaker"]?["state"] == "open")
        #expect(local["breaker"]?["until"]?.string != nil)
        #expect(local["paused_until"] == .null)
        let row = try #require(try await sandbox.run("providers", "list").lines.first { $0.hasPrefix("local ") })
        #expect(row.contains("circuit breaker open, retries in ") && row.contains(": the server broke"))
        #expect(try await sandbox.claimable() == 0)

        let doctor = try await sandbox.run("doctor")
        #expect(doctor.status == 0)
        #expect(doctor.output.contains("note  provider local: circuit breaker open after failures; next trial call in "))
        #expect(doctor.output.contains(": the server broke; try 'agent-queue providers check local'\n"))

        #expect(try await sandbox.run("providers", "resume", "local", "--json").json == [["provider": "local", "resumed": true]])
        #expect(try await sandbox.local()?["breaker"] == ["state": "closed", "until": .null])
        #expect(try await sandbox.claimable() == 1)
    }

    @Test("resume of what is configured and was never called says so; of what is not, is a slip")
    func resume() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        #expect(try await sandbox.run("providers", "resume", "openai").output == "provider openai was not paused\n")
        #expect(try await sandbox.run("providers", "resume", "openai", "--json").json == [["provider": "openai", "resumed": false]])
        // One that the configuration no longer has is known by its calls.
        try await sandbox.fail("refused") { CallReport(target: $0.route, failure: .authentication, scope: .provider) }
        try sandbox.file(
            "agent-queue.yaml", "default_model: other/m\nproviders:\n  other: { kind: openai, base_url: 'http://127.0.0.1:1/v1' }\n")
        #expect(try await sandbox.run("providers", "resume", "local").status == 0)
    }
}

extension Sandbox {
    /// The provider `local`, as `providers list --json` shows it.
    fileprivate func local() async throws -> JSONValue? {
        try await run("providers", "list", "--json").json.first { $0["name"] == "local" }
    }

    /// How many jobs a worker would get now; they are handed back.
    fileprivate func claimable() async throws -> Int {
        try await withStore { store in
            let worker = try await store.claims.registerWorker()
            let jobs = try await claim(store, as: worker.id)
            for job in jobs {
                let handedBack = Settlement(state: .available, scheduledAt: 0, countsAttempt: false)
                _ = try await store.claims.settle(SettleRequest(job: job, settlement: handedBack))
            }
            try await store.claims.unregisterWorker(worker.id)
            return jobs.count
        }
    }
}
