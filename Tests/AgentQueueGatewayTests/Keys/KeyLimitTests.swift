import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// Limits of keys, as clients meet them.
@Suite struct KeyLimitTests {
    private func key(_ gateway: LiveGateway, _ configure: (inout KeyLimits) -> Void) async throws -> [(String, String)] {
        var new = NewAPIKey(name: "ci", scopes: [.call, .metrics])
        configure(&new.limits)
        let secret = [UInt8](repeating: 7, count: 32)
        let key = try await gateway.queue.store.keys.create(new, secret: secret, by: "test")
        return [("x-api-key", KeyText(id: key.id, secret: secret).text)]
    }

    private static func plan(price: Double?) -> GatewayPlan {
        GatewayPlan(
            script: .always(Chat.whole),
            configure: { settings in
                guard let price else { return }
                var model = ModelSettings()
                model.price = PriceSettings(inputPerMTok: price, outputPerMTok: price)
                settings.models["local/m"] = model
            }, asksForKeys: true)
    }

    @Test func answersTellWhatIsLeft() async throws {
        try await withGateway(Self.plan(price: nil)) { gateway in
            let headers = try await key(gateway) {
                $0.requestsPerMinute = 2
                $0.tokensPerMinute = 1_000_000
            }
            let answer = try await Chat.call(Chat.question, headers).answer(port: gateway.port)
            #expect(answer.status == 200)
            #expect(answer["x-ratelimit-limit-requests"] == "2")
            #expect(answer["x-ratelimit-limit-tokens"] == "1000000")
            #expect(answer["x-ratelimit-reset-requests"]?.hasSuffix("s") == true)
            let anthropic = try await Chat.call(Chat.question, headers + [("anthropic-version", "2023-06-01")]).answer(port: gateway.port)
            #expect(anthropic["anthropic-ratelimit-requests-limit"] == "2")
            // The call before counts; whether this one does already depends on who claims it.
            let left = anthropic["anthropic-ratelimit-requests-remaining"]
            #expect(left == "0" || left == "1")
        }
    }

    @Test func aSpentBudgetIsRefusedAtOnce() async throws {
        try await withGateway(Self.plan(price: 1_000_000)) { gateway in
            let headers = try await key(gateway) { $0.usdPerDay = 0.5 }
            let answer = try await Chat.call(Chat.question, headers).answer(port: gateway.port)
            #expect(answer.status == 429)
            #expect(try answer.json["error"]?["code"] == "insufficient_quota")
            let anthropic = try await Chat.call(Chat.question, headers + [("anthropic-version", "2023-06-01")]).answer(port: gateway.port)
            #expect(anthropic.status == 402)
            #expect(gateway.upstream.requests.isEmpty)
        }
    }

    /// The call before it costs more than it was expected to, after this one was let in.
    @Test(arguments: [false, true]) func aBudgetThatIsSpentWhileARequestWaitsIsNoRateLimit(isTotal: Bool) async throws {
        let gate = Gate()
        let usage = #""usage":{"prompt_tokens":3,"#
        let costly = Chat.wholeText.replacing(usage, with: #""usage":{"prompt_tokens":3000,"#)
        var plan = Self.plan(price: 1_000)
        plan.script = .always(ScriptedAnswer(json: costly, after: gate))
        try await withGateway(plan) { gateway in
            let headers = try await key(gateway) {
                $0.concurrency = 1
                if isTotal { $0.usdTotal = 2 } else { $0.usdPerDay = 2 }
            }
            let (port, store) = (gateway.port, gateway.queue.store)
            let body = Chat.question.replacing("{\"model\"", with: "{\"max_tokens\":2,\"model\"")
            async let first = Chat.call(body, headers).answer(port: port)
            try await until("the first call is made") { gateway.upstream.requests.count == 1 }
            async let second = Chat.call(
                body.replacing("Hi", with: "Ho"), headers + [("x-agent-queue-max-wait", "1s")]
            ).answer(port: port)
            try await until("the second waits") { try store.jobs.list(JobFilter(states: [.available]), limit: 1, before: nil).count == 1 }
            gate.open()
            #expect(try await first.status == 200)
            let refused = try await second
            #expect(refused.status == 429, "\(refused.text)")
            #expect(try refused.json["error"]?["code"] == "insufficient_quota", "\(refused.text)")
            #expect(refused["x-should-retry"] == "false")
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aBudgetDoesNotHinderWhatIsFree() async throws {
        try await withGateway(Self.plan(price: nil)) { gateway in
            let headers = try await key(gateway) { $0.usdTotal = 0 }
            let answer = try await Chat.call(Chat.question, headers).answer(port: gateway.port)
            #expect(answer.status == 200)
        }
    }

    @Test func figuresAreForKeysThatMayReadThem() async throws {
        try await withGateway(Self.plan(price: nil)) { gateway in
            let headers = try await key(gateway) { $0.requestsPerMinute = 2 }
            let answer = try await Chat.call(Chat.question, headers).answer(port: gateway.port)
            #expect(answer.status == 200)
            let figures = try await HTTPCall(method: .GET, path: "/metrics", headers: headers, body: "").answer(port: gateway.port)
            #expect(figures.status == 200)
            #expect(figures["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(figures.text.contains(#"agentqueue_jobs{queue="api.ci",target="local/m",kind="generate",state="completed"} 1"#))
            #expect(figures.text.contains(#"agentqueue_http_requests_total{route="/v1/chat/completions",status="200"} 1"#))
            #expect(figures.text.contains(#"agentqueue_limit_remaining{resource="key:ci",limit="requests"} 1"#))
            let other = try await gateway.key("other")
            let refused = try await HTTPCall(method: .GET, path: "/metrics", headers: [("x-api-key", other)], body: "")
                .answer(port: gateway.port)
            #expect(refused.status == 403)
        }
    }

    @Test func theLargestSeriesStayAndTheRestIsOne() {
        var text = MetricsText()
        text.add("x", .gauge, "X.", labels: ["a"], most: 3, (1...5).map { .init(["\($0)"], Double($0)) })
        #expect(text.text == "# HELP x X.\n# TYPE x gauge\nx{a=\"4\"} 4\nx{a=\"5\"} 5\nx{a=\"other\"} 6\n")
    }
}
