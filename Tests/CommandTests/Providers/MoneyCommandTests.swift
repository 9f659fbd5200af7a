import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

@testable import agent_queue

/// What calls may cost, and what they cost in vain.
@Suite struct MoneyCommandTests {
    @Test("A budget reaches the job; of a batch it is the batch's")
    func budget() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "none")
        _ = try await sandbox.run("enqueue", "own", "--budget", "0.25")
        _ = try await sandbox.run("enqueue", "shared", "--budget", "2", "--batch", "b")
        _ = try await sandbox.run(
            "enqueue", "--jsonl", "-", "--budget", "3", input: Array("{\"prompt\": \"a\"}\n{\"prompt\": \"b\", \"budget\": 4}".utf8))
        let budgets = try await sandbox.run("list", "--json").json.reversed().map { $0["budget_usd"]?.number }
        #expect(budgets == [nil, 0.25, 2, 3, 4])
        #expect(try await !sandbox.run("show", "1").output.contains("budget"))
        #expect(try await sandbox.run("show", "2").lines.contains { $0.hasPrefix("budget ") && $0.hasSuffix(" \(Figures.money(0.25))") })
        #expect(try await sandbox.run("show", "3").lines.contains { $0.hasPrefix("budget ") && $0.hasSuffix(" $2.00 for the batch") })
    }

    @Test("A bad budget in a line is named by its number")
    func badLine() async throws {
        let sandbox = try Sandbox()
        for (budget, says) in [("0", "budget must be more than 0"), ("\"1\"", "budget must be a number")] {
            let ending = try await sandbox.run("enqueue", "--jsonl", "-", input: Array("{\"prompt\": \"a\", \"budget\": \(budget)}".utf8))
            #expect(ending.status == 65)
            #expect(ending.sentence?.contains("line 1: \(says)") == true, "\(ending.error)")
        }
    }

    @Test("A call that may have been paid for although no answer came is counted and listed")
    func maybePaid() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        let before = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(before["maybe_paid"] == ["calls": 0, "usd": 0, "unpriced_calls": 0, "jobs": []])
        #expect(before["providers"] == [])
        #expect(try await !sandbox.run("stats").output.contains("possibly charged"))

        try await sandbox.fail("the connection broke") { job in
            CallReport(target: job.route, failure: .timedOut, isMaybePaid: true, maybeCost: 0.5)
        }
        let stats = try #require(try await sandbox.run("stats", "--json").json.first)
        #expect(stats["maybe_paid"]?["calls"] == 1)
        #expect(stats["maybe_paid"]?["usd"]?.number == 0.5)
        let call = try #require(stats["maybe_paid"]?["jobs"]?.array?.first)
        #expect(call.members?.map(\.key) == ["id", "attempt", "target", "at", "cost_usd"])
        #expect(call["id"] == 1)
        #expect(call["attempt"] == 1)
        #expect(call["target"] == "local/smollm2")
        #expect(call["at"]?.string != nil)
        #expect(call["cost_usd"]?.number == 0.5)
        #expect(stats["providers"]?.array?.first?["name"] == "local")
        #expect(stats["providers"]?.array?.first?["spent_today_usd"]?.number == 0.5)
        let page = try await sandbox.run("stats").lines
        #expect(
            page.contains { $0.hasPrefix("possibly charged ") && $0.hasSuffix(" \(Figures.money(0.5)) for 1 call that returned no answer") }
        )
    }

    @Test("Nothing is said of money where a call without an answer was free")
    func free() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        try await sandbox.fail("the connection broke") { job in
            CallReport(target: job.route, failure: .timedOut, isMaybePaid: true, maybeCost: 0)
        }
        #expect(try await sandbox.run("stats", "--json").json.first?["maybe_paid"]?["calls"] == 1)
        #expect(try await !sandbox.run("stats").output.contains("charged"))
        #expect(try await !sandbox.run("costs").output.contains("charged"))
    }

    @Test("show tells what a failed attempt cost, what it called, and how far its answer had come")
    func partial() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "one")
        try await sandbox.fail("the connection broke") { job in
            CallReport(
                target: Target("local/second") ?? job.route, cost: 0.25, failure: .retryable,
                partialText: "first line\nhalf \u{1B}[31ma line")
        }
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["state"] == "retryable")
        #expect(job["result"] == .null)
        let error = try #require(job["errors"]?.array?.first)
        #expect(error.members?.map(\.key) == ["attempt", "at", "class", "message", "target", "cost_usd", "partial"])
        #expect(error["class"] == "retryable")
        #expect(error["target"] == "local/second")
        #expect(error["cost_usd"]?.number == 0.25)
        #expect(error["partial"] == "first line\nhalf \u{1B}[31ma line")

        let sheet = try await sandbox.run("show", "1").output
        #expect(sheet.contains("failed attempts  cost up to \(Figures.money(0.25))\n"))
        #expect(sheet.contains(", local/second, \(Figures.money(0.25)): retryable: the connection broke\n"))
        #expect(sheet.hasSuffix("\nPartial answer of attempt 1\n    first line\n    half \\u{1b}[31ma line\n"), "\(sheet)")
    }

    @Test("A limit of money that cannot be kept, for want of a price, is refused, and the doctor dates the list prices")
    func unpriced() async throws {
        let sandbox = try Sandbox()
        let limit =
            "default_model: far/m\nproviders:\n  far: { kind: openai, base_url: 'https://m.example/v1', limits: { usd_per_day: 1.5 } }\n"
        try sandbox.file("agent-queue.yaml", limit)
        let refused = try await sandbox.run("config", "check")
        #expect(refused.status == 78)
        #expect("\(refused.output)\(refused.error)".contains("usd_per_day: cannot be kept for far/m, whose price is unknown"))
        #expect(try await sandbox.run("doctor").output.contains("cannot be kept for far/m"))
        try sandbox.file("agent-queue.yaml", limit + "models:\n  far/m: { price: { input_per_mtok: 1, output_per_mtok: 2 } }\n")
        let priced = try await sandbox.run("doctor")
        #expect(priced.output.contains(/prices: list prices of 20\d\d-\d\d-\d\d; 1 price set by the configuration/), "\(priced.output)")
    }
}
