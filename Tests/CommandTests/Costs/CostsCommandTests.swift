import AgentQueueModel
import AgentQueueStore
import Testing

@testable import agent_queue

/// What was paid, as people and scripts read it.
@Suite struct CostsCommandTests {
    @Test("Sums by model, day and batch are what stats says")
    func sums() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b,1")
        _ = try await sandbox.run("enqueue", "two", "--tag", "t")
        try await sandbox.work()
        _ = try await sandbox.run("enqueue", "three")
        try await sandbox.fail("no") { CallReport(target: $0.route, usage: Usage(inputTokens: 1), cost: nil, failure: .permanent) }
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["cost_usd"]?.number == 0.5 && stats["unpriced_calls"] == 1)
        for what in ["day", "hour", "model", "queue"] {
            let rows = try await sandbox.run("costs", "--by", what, "--json").json
            #expect(rows.reduce(0) { $0 + ($1["cost_usd"]?.number ?? 0) } == 0.5, "\(what)")
            #expect(rows.first?.members?.map(\.key) == [what, "calls", "unpriced_calls", "usage", "cost_usd"])
            // The hour may have ended meanwhile.
            #expect(rows.reduce(0) { $0 + ($1["unpriced_calls"]?.int ?? 0) } == 1)
        }
        #expect(try await sandbox.run("costs", "--by", "key", "--json").json.isEmpty)
        #expect(try await sandbox.run("costs", "--by", "key").error.contains("queues of keys"))
        #expect(try await sandbox.run("costs", "--by", "model", "--json").json.first?["model"] == "local/smollm2")
        let page = try await sandbox.run("costs")
        #expect(page.lines.last?.hasSuffix("over $0.50") == true, "\(page.output)")
        #expect(page.error.contains("The price of 1 call is unknown"))
        #expect(try await sandbox.run("costs", "--since", "2999-01-01T00:00Z", "--json").json.isEmpty)
        let csv = try await sandbox.run("costs", "--by", "model", "--csv")
        #expect(csv.lines == ["model,calls,unpriced_calls,input_tokens,output_tokens,cost_usd", "local/smollm2,3,1,11,14,0.5"])
    }

    @Test("By batch and tag costs are kept with their jobs, and costs says so")
    func byBatch() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one", "--batch", "b,1", "--tag", "t")
        try await sandbox.fail("no") { CallReport(target: $0.route, cost: 0.25, failure: .permanent) }
        let rows = try await sandbox.run("costs", "--by", "batch", "--csv").lines
        #expect(rows == ["batch,calls,unpriced_calls,input_tokens,output_tokens,cost_usd", "\"b,1\",1,0,0,0,0.25"])
        let page = try await sandbox.run("costs", "--by", "tag")
        #expect(page.lines.last?.hasSuffix(" $0.25") == true && page.error.contains("kept while their jobs are"), "\(page.error)")
        let refused = try await sandbox.run("costs", "--by", "weekday")
        #expect(refused.status == 64)
        #expect(try await sandbox.run("costs", "--csv", "--json").status == 64)
    }

    @Test("A call of unknown price is null in JSON and unknown to people, never $0")
    func unknown() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        try await sandbox.withStore { store in
            let worker = try await store.claims.registerWorker()
            let job = try #require(try await sandbox.claim(store, as: worker.id).first)
            var request = sandbox.settlement(of: job, "yes")
            request.result?.cost = nil
            _ = try await store.claims.settle(request)
            try await store.claims.unregisterWorker(worker.id)
        }
        #expect(try await sandbox.run("show", "1", "--json").json.first?["result"]?["cost_usd"] == .null)
        #expect(try await sandbox.run("show", "1").lines.contains { $0.hasPrefix("  cost ") && $0.hasSuffix(" unknown") })
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["cost_usd"] == .null && stats["unpriced_calls"] == 1 && stats["targets"]?.array?.first?["cost_usd"] == .null)
        // The same question again, from the cache: what that saves is not known either.
        _ = try await sandbox.run("enqueue", "one")
        let saved = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(saved["saved_usd"] == .null)
        for command in ["stats", "costs"] {
            let page = try await sandbox.run(command).output
            #expect(page.contains("unknown") && !page.replacing(/TODAY[^$]*\$0/, with: "").contains(" $0 "), "\(page)")
        }
    }

    @Test("A budget on a target without a price is refused with the line to add")
    func refused() async throws {
        let sandbox = try Sandbox()
        let provider = "providers:\n  far: { kind: openai, base_url: 'https://models.example/v1', api_key_env: K }\n"
        try sandbox.file("agent-queue.yaml", provider)
        let plain = try await sandbox.run("enqueue", "x", "--model", "far/m")
        #expect(plain.status == 0, "\(plain.error)")
        let budget = try await sandbox.run("enqueue", "x", "--model", "far/m", "--budget", "1")
        #expect(budget.status == 64)
        #expect(
            budget.sentence?.contains("models: { far/m: { price: { input_per_mtok: X, output_per_mtok: Y } } }") == true, "\(budget.error)")
        // The built-in limit of dollars a day needs prices too.
        let limited = try await sandbox.run("enqueue", "x", "--model", "openai/gpt-99")
        #expect(limited.status == 64 && limited.sentence?.contains("usd_per_day of provider 'openai'") == true, "\(limited.error)")
        #expect(try await sandbox.run("enqueue", "x", "--model", "openai/gpt-4o-mini", "--budget", "1").status == 0)
        try sandbox.file("agent-queue.yaml", provider + "models:\n  far/m: { price: { input_per_mtok: 1, output_per_mtok: 2 } }\n")
        #expect(try await sandbox.run("enqueue", "x", "--model", "far/m", "--budget", "1").status == 0)
    }
}
