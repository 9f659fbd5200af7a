import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import HTTPTypes

/// `/metrics`: figures for monitoring. Counts of jobs, calls and money come from the file, so that they hold for all processes; what
/// concerns requests is this process's own.
struct MetricsRoute: Sendable {
    /// What is only known while the gateway runs.
    struct Gauges: Sendable {
        var waiting: @Sendable () -> Int
        var connections: @Sendable () -> Int
    }

    let store: QueueStore
    let isOpen: Bool
    let requests: RequestMetrics
    let gauges: Gauges

    var route: Route {
        Route(.get, "/metrics", scope: isOpen ? nil : .metrics) { [self] exchange in
            var fields = HTTPFields()
            fields[.contentType] = MetricsText.contentType
            fields[.cacheControl] = "no-store"
            try await exchange.response.send(200, fields, body: Array(try text().utf8))
        }
    }

    func text() throws -> String {
        var text = MetricsText()
        let figures = try store.maintenance.figures()
        addJobs(figures, to: &text)
        addCalls(figures, to: &text)
        addLimits(figures.resources, to: &text)
        addRequests(to: &text)
        text.add(
            "agentqueue_database_bytes", .gauge, "Size of the database by part.", labels: ["part"],
            [
                MetricsText.Sample(["file"], Double(figures.databaseBytes)), MetricsText.Sample(["wal"], Double(figures.walBytes)),
                MetricsText.Sample(["free"], Double(figures.freeBytes)),
            ])
        text.add("agentqueue_workers", .gauge, "Registered worker processes.", [MetricsText.Sample([], Double(figures.workers))])
        text.add("agentqueue_build_info", .gauge, "The version.", labels: ["version"], [MetricsText.Sample([Version.text], 1)])
        return text.text
    }

    private func addJobs(_ figures: QueueFigures, to text: inout MetricsText) {
        let lanes = figures.lanes
        text.add(
            "agentqueue_jobs", .gauge, "Jobs that are stored, by state.", labels: ["queue", "target", "kind", "state"],
            lanes.flatMap { lane -> [MetricsText.Sample] in
                JobState.allCases.compactMap { state -> MetricsText.Sample? in
                    let count = lane.count(state)
                    return count == 0
                        ? nil : MetricsText.Sample([lane.queue, lane.target, lane.kind.rawValue, state.rawValue], Double(count))
                }
            }, most: 400)
        text.add(
            "agentqueue_oldest_waiting_seconds", .gauge, "Age of the oldest job that is ready.", labels: ["queue"],
            figures.oldestWaiting.map { MetricsText.Sample([$0.key], Double($0.value) / 1_000) })
    }

    private func addCalls(_ figures: QueueFigures, to text: inout MetricsText) {
        let lanes = figures.lanes
        let saved = lanes.reduce(0.0) { $0 + $1.saved }
        let calls = lanes.reduce(0) { $0 + $1.calls }
        text.add(
            "agentqueue_calls_total", .counter, "Calls that were paid for.", labels: ["target", "outcome"],
            lanes.map { MetricsText.Sample([$0.target, "answered"], Double($0.calls)) })
        text.add(
            "agentqueue_tokens_total", .counter, "Tokens of calls that were paid for.", labels: ["target", "direction"],
            lanes.flatMap { lane -> [MetricsText.Sample] in
                [
                    MetricsText.Sample([lane.target, "input"], Double(lane.usage.inputTokens)),
                    MetricsText.Sample([lane.target, "output"], Double(lane.usage.outputTokens)),
                ]
            })
        text.add(
            "agentqueue_cost_usd_total", .counter, "What calls cost, as far as prices are known.", labels: ["target"],
            lanes.map { MetricsText.Sample([$0.target], $0.cost) })
        text.add(
            "agentqueue_saved_usd_total", .counter, "What answers without a call would have cost.",
            [MetricsText.Sample([], saved)])
        text.add(
            "agentqueue_answers_total", .counter, "Answers by where they came from.", labels: ["by"],
            [
                MetricsText.Sample(["provider"], Double(calls)), MetricsText.Sample(["cache"], Double(figures.cacheHits)),
                MetricsText.Sample(["coalesced"], Double(figures.coalesced)),
            ])
    }

    private func addLimits(_ resources: [ProviderState], to text: inout MetricsText) {
        text.add(
            "agentqueue_breaker_open", .gauge, "1 while the circuit breaker stops calls.", labels: ["target"],
            resources.filter { !$0.isKey }.map { MetricsText.Sample([$0.name], $0.breaker == .closed ? 0 : 1) })
        text.add(
            "agentqueue_paused", .gauge, "1 while calls are paused.", labels: ["target", "reason"],
            resources.compactMap { state in state.pauseClass.map { MetricsText.Sample([state.name, $0.rawValue], 1) } })
        text.add(
            "agentqueue_limit_remaining", .gauge, "What is left of a limit per minute.", labels: ["resource", "limit"],
            resources.flatMap { state -> [MetricsText.Sample] in
                let levels = [
                    ("requests", state.requests), ("tokens", state.tokens), ("input_tokens", state.inputTokens),
                    ("output_tokens", state.outputTokens),
                ]
                return levels.compactMap { name, level in level.map { MetricsText.Sample([state.name, name], $0.level) } }
            })
        text.add(
            "agentqueue_spent_today_usd", .gauge, "Spent since midnight (UTC).", labels: ["resource"],
            resources.map { MetricsText.Sample([$0.name], $0.spentToday) })
    }

    private func addRequests(to text: inout MetricsText) {
        let values = requests.values
        text.add(
            "agentqueue_http_requests_total", .counter, "Requests that have ended.", labels: ["route", "status"],
            values.requests.map { .init($0.key, Double($0.value)) }, most: 200)
        text.add(
            "agentqueue_http_request_duration_seconds", "From a request's head to the end of its answer.", label: "route", values.durations)
        text.add(
            "agentqueue_http_first_byte_seconds", "From a request's head to the beginning of its answer.", label: "route", values.firstBytes
        )
        text.add("agentqueue_queue_wait_seconds", "From a job's check-in to its call.", label: "queue", values.waits)
        text.add(
            "agentqueue_attached_total", .counter, "Requests that were attached to an earlier one.",
            [MetricsText.Sample([], Double(values.attached))])
        text.add(
            "agentqueue_disconnects_total", .counter, "Requests whose answer was not sent whole.", labels: ["outcome"],
            values.disconnects.map { MetricsText.Sample([$0.key], Double($0.value)) })
        text.add("agentqueue_waiting_requests", .gauge, "Requests that wait for a job.", [MetricsText.Sample([], Double(gauges.waiting()))])
        text.add("agentqueue_connections", .gauge, "Open connections.", [MetricsText.Sample([], Double(gauges.connections()))])
    }
}
