import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// What Prometheus reads.
@Suite struct MetricsTests {
    private func route(_ store: QueueStore, _ requests: RequestMetrics = RequestMetrics()) -> MetricsRoute {
        MetricsRoute(
            store: store, isOpen: false, requests: requests, gauges: MetricsRoute.Gauges(waiting: { 0 }, connections: { 0 }))
    }

    /// The lines that are no comments, by everything before the value.
    private func series(_ text: String) -> [Substring: Double] {
        var all: [Substring: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            #expect(all.updateValue(Double(line[line.index(after: space)...]) ?? .nan, forKey: line[..<space]) == nil, "\(line)")
        }
        return all
    }

    private func jobs(_ numbers: Range<Int>) -> [NewJob] {
        numbers.map { number in
            let request = ModelRequest(
                kind: .generate, target: Target("local/model-\(number % 150)")!, body: ["messages": [["role": "user", "content": "x"]]])
            var job = NewJob(
                kind: .generate, target: request.target, body: request.storedBody, digest: request.digest(identity: "\(number)"),
                queue: "api.key-\(number % 400)")
            job.useCache = false
            return job
        }
    }

    /// Fills everything that a client or time can fill.
    private func fill(_ requests: RequestMetrics) {
        for number in 0..<400 {
            requests.add(
                RequestMetrics.Request(
                    route: "/v1/route-\(number % 70)", status: 200 + number, duration: .milliseconds(number), firstByte: .milliseconds(1),
                    wait: ("api.key-\(number)", .milliseconds(number)), attached: Attachment.allCases[number % 3], call: .zero,
                    outcome: "left"))
            requests.addCall(Target("local/model-\(number)")!, .seconds(number))
        }
    }

    @Test func thereAreAtMostTwoThousandSeriesAndAReadingIsQuick() async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/queue.db")
            defer { store.close() }
            for number in 0..<150 {
                var key = NewAPIKey(name: "key-\(number)")
                key.limits.requestsPerMinute = 5
                key.limits.tokensPerMinute = 50_000
                _ = try await store.keys.create(key, secret: [UInt8](repeating: 7, count: 32), by: "test")
            }
            _ = try await store.jobs.enqueue(jobs(0..<1_200))
            let worker = try await store.claims.registerWorker()
            let policies = CallPolicies(limits: ["local": CallLimits(usdPerDay: 9)], breaker: CircuitBreaker.Policy(), routes: [:]) {
                _, _, _ in
                CallEstimate(inputTokens: 1, worstCost: 0)
            }
            let claimed = try await store.claims.claim(
                ClaimRequest(
                    worker: worker.id, queues: nil, providers: ["local"], slots: 900, lease: 60_000, isIdle: true, policies: policies)
            ).jobs
            #expect(claimed.count > 100)
            for job in claimed {
                var request = SettleRequest(
                    job: job, settlement: Settlement(state: .discarded), call: CallReport(target: job.route, failure: .permanent))
                request.policies = policies
                _ = try await store.claims.settle(request)
            }
            let requests = RequestMetrics()
            fill(requests)
            let metrics = route(store, requests)
            var fastest = Duration.seconds(60)
            var text = ""
            for _ in 0..<5 {
                let begin = ContinuousClock.now
                text = try metrics.text()
                fastest = min(fastest, begin.duration(to: .now))
            }
            let found = series(text)
            #expect(found.count <= 2_000 && found.count > 1_500, "\(found.count) series")
            #expect(text.utf8.count < 300_000, "\(text.utf8.count) bytes")
            // 20 ms where it is built for release, on a machine that does nothing else.
            #expect(fastest < .milliseconds(500), "\(fastest)")
            for family in ["jobs", "jobs_ended_total", "calls_total", "oldest_waiting_seconds", "call_duration_seconds_count"] {
                #expect(found.keys.contains { $0.hasPrefix("agentqueue_\(family){") && $0.contains(#""other""#) }, "\(family)")
            }
        }
    }

    @Test func aCounterNeverFallsWhenItsSmallSeriesOvertakeLargeOnes() {
        let shown = ShownSeries()
        func read(_ values: [Double]) -> [Substring: Double] {
            var text = MetricsText(shown)
            text.add("x", .counter, "X.", labels: ["a"], most: 3, values.enumerated().map { .init(["\($0)"], $1) })
            return series(text.text)
        }
        var last = read([5, 4])
        #expect(last.count == 2)
        for values: [Double] in [[5, 4, 3], [5, 4, 3, 2], [5, 4, 30, 2], [5, 4, 30, 2, 100]] {
            let next = read(values)
            #expect(next.count <= 3)
            for (name, value) in last where next[name] != nil { #expect(next[name]! >= value, "\(name) \(values)") }
            #expect(next.values.reduce(0, +) == values.reduce(0, +))
            last = next
        }
    }

    @Test func aCallIsTimedAndWhatTheGatewayAddsIsToldApart() async throws {
        let plan = GatewayPlan(script: .always(Chat.whole), serve: Self.open)
        try await withGateway(plan) { gateway in
            #expect(try await Chat.call().answer(port: gateway.port).status == 200)
            let text = try await HTTPCall(method: .GET, path: "/metrics", headers: [], body: "").answer(port: gateway.port).text
            let found = series(text)
            #expect(found[#"agentqueue_jobs_ended_total{queue="api.local",kind="generate",state="completed"}"#] == 1)
            #expect(found[#"agentqueue_calls_total{target="local/m",outcome="answered"}"#] == 1)
            #expect(found[#"agentqueue_answers_total{by="provider"}"#] == 1 && found[#"agentqueue_answers_total{by="fallback"}"#] == 0)
            #expect(found[#"agentqueue_call_duration_seconds_count{target="local/m"}"#] == 1)
            #expect(found[#"agentqueue_overhead_seconds_count{route="/v1/chat/completions"}"#] == 1)
            let overhead = try #require(found[#"agentqueue_overhead_seconds_sum{route="/v1/chat/completions"}"#])
            let whole = try #require(found[#"agentqueue_http_request_duration_seconds_sum{route="/v1/chat/completions"}"#])
            let call = try #require(found[#"agentqueue_call_duration_seconds_sum{target="local/m"}"#])
            #expect(abs(overhead - (whole - call)) < 1e-6 && overhead > 0)
            #expect(found["agentqueue_streams"] == 0)
            let (commits, last) = (found["agentqueue_commit_seconds_count"], found["agentqueue_last_commit_timestamp_seconds"])
            #expect(commits.map { $0 >= 2 } == true && last.map { $0 > 1_700_000_000 } == true)
        }
    }

    @Test func callsThatFailAndStreamsUnderWayAreCounted() async throws {
        let gate = Gate()
        let plan = GatewayPlan(
            script: Script { request in
                request.text.contains(#""stream":true"#)
                    ? ScriptedAnswer(stream: Chat.first + Chat.last, pauses: [(Chat.first.utf8.count, gate)])
                    : ScriptedAnswer(400, json: #"{"error":{"message":"no"}}"#)
            }, serve: Self.open)
        try await withGateway(plan) { gateway in
            let port = gateway.port
            @Sendable func read() async throws -> [Substring: Double] {
                series(try await HTTPCall(method: .GET, path: "/metrics", headers: [], body: "").answer(port: port).text)
            }
            #expect(try await Chat.call().answer(port: port).status == 400)
            _ = try await Chat.call(Chat.streamed).answer(port: port) { reader in
                try await reader.read(until: "Hello")
                #expect(try await read()["agentqueue_streams"] == 1)
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            let found = try await read()
            #expect(found["agentqueue_streams"] == 0)
            #expect(found[#"agentqueue_calls_total{target="local/m",outcome="failed"}"#] == 1)
            #expect(found[#"agentqueue_calls_total{target="local/m",outcome="answered"}"#] == 1)
            #expect(found[#"agentqueue_call_duration_seconds_count{target="local/m"}"#] == 2)
            #expect(found[#"agentqueue_overhead_seconds_count{route="/v1/chat/completions"}"#] == 1)
        }
    }

    private static var open: ServeSettings {
        var settings = ServeSettings()
        settings.metrics = .open
        return settings
    }
}
