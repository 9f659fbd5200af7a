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
    private let shown = ShownSeries()
    private let totals = LockedValue(CallTotals())

    init(store: QueueStore, isOpen: Bool, requests: RequestMetrics, gauges: Gauges) {
        (self.store, self.isOpen, self.requests, self.gauges) = (store, isOpen, requests, gauges)
    }

    var route: Route {
        Route(.get, "/metrics", scope: isOpen ? nil : .metrics) { [self] exchange in
            var fields = HTTPFields()
            fields[.contentType] = MetricsText.contentType
            fields[.cacheControl] = "no-store"
            try await exchange.response.send(200, fields, body: Array(try text().utf8))
        }
    }

    /// At most 2,000 series: the bounds of all families together, where a distribution has 20 for each value of its label.
    func text() throws -> String {
        var text = MetricsText(shown)
        var known = totals.value
        let figures = try store.maintenance.figures(&known)
        totals.withLock { [known] in $0 = known }
        addJobs(figures, to: &text)
        addCalls(figures, to: &text)
        addLimits(figures.resources, to: &text)
        addRequests(to: &text)
        addProcess(figures, to: &text)
        return text.text
    }

    private func addJobs(_ figures: QueueFigures, to text: inout MetricsText) {
        text.add(
            "agentqueue_jobs", .gauge, "Jobs that are stored, by state.", labels: ["queue", "target", "kind", "state"], most: 200,
            figures.lanes.flatMap { lane -> [MetricsText.Sample] in
                JobState.allCases.compactMap { state -> MetricsText.Sample? in
                    let count = lane.count(state)
                    return count == 0
                        ? nil : MetricsText.Sample([lane.queue, lane.target, lane.kind.rawValue, state.rawValue], Double(count))
                }
            })
        text.add(
            "agentqueue_jobs_ended_total", .counter, "Jobs that have ended, whether or not they are still stored.",
            labels: ["queue", "kind", "state"], most: 60,
            figures.ended.map { MetricsText.Sample([$0.queue, $0.kind.rawValue, $0.state.rawValue], Double($0.count)) })
        text.add(
            "agentqueue_oldest_waiting_seconds", .gauge, "Age of the oldest job that is ready.", labels: ["queue"],
            oldest(figures, most: 24))
    }

    /// Ages cannot be added up: of the queues that are left out, the oldest job counts.
    private func oldest(_ figures: QueueFigures, most: Int) -> [MetricsText.Sample] {
        let ages = figures.oldestWaiting.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = ages.prefix(ages.count > most ? most - 1 : most).map { MetricsText.Sample([$0.key], Double($0.value) / 1_000) }
        return shown + ages.dropFirst(shown.count).prefix(1).map { MetricsText.Sample([MetricsText.other], Double($0.value) / 1_000) }
    }

    private func addCalls(_ figures: QueueFigures, to text: inout MetricsText) {
        let calls = figures.calls
        text.add(
            "agentqueue_calls_total", .counter, "Calls by how they ended.", labels: ["target", "outcome"], most: 30,
            calls.flatMap { call -> [MetricsText.Sample] in
                [("answered", call.answered), ("failed", call.failed)].compactMap { outcome, count in
                    count == 0 ? nil : MetricsText.Sample([call.target, outcome], Double(count))
                }
            })
        text.add(
            "agentqueue_tokens_total", .counter, "Tokens of calls that were paid for.", labels: ["target", "direction"], most: 30,
            calls.flatMap { call -> [MetricsText.Sample] in
                [
                    MetricsText.Sample([call.target, "input"], Double(call.usage.inputTokens)),
                    MetricsText.Sample([call.target, "output"], Double(call.usage.outputTokens)),
                ]
            })
        text.add(
            "agentqueue_cost_usd_total", .counter, "What calls cost, as far as prices are known.", labels: ["target"], most: 20,
            calls.map { MetricsText.Sample([$0.target], $0.cost) })
        text.add(
            "agentqueue_saved_usd_total", .counter, "What answers without a call would have cost.",
            [MetricsText.Sample([], figures.lanes.reduce(0.0) { $0 + $1.saved })])
        let (answered, fallbacks) = calls.reduce((0, 0)) { ($0.0 + $1.answered, $0.1 + $1.fallbacks) }
        text.add(
            "agentqueue_answers_total", .counter, "Answers by where they came from.", labels: ["by"], most: 4,
            [
                MetricsText.Sample(["provider"], Double(answered - fallbacks)), MetricsText.Sample(["cache"], Double(figures.cacheHits)),
                MetricsText.Sample(["coalesced"], Double(figures.coalesced)), MetricsText.Sample(["fallback"], Double(fallbacks)),
            ])
    }

    private func addLimits(_ resources: [ProviderState], to text: inout MetricsText) {
        text.add(
            "agentqueue_breaker_open", .gauge, "1 while the circuit breaker stops calls.", labels: ["target"], most: 24,
            resources.filter { !$0.isKey }.map { MetricsText.Sample([$0.name], $0.breaker == .closed ? 0 : 1) })
        text.add(
            "agentqueue_paused", .gauge, "1 while calls are paused.", labels: ["target", "reason"], most: 12,
            resources.compactMap { state in state.pauseClass.map { MetricsText.Sample([state.name, $0.rawValue], 1) } })
        let remaining = resources.flatMap { state -> [MetricsText.Sample] in
            let levels = [
                ("requests", state.requests), ("tokens", state.tokens), ("input_tokens", state.inputTokens),
                ("output_tokens", state.outputTokens),
            ]
            return levels.compactMap { name, level in level.map { MetricsText.Sample([state.name, name], $0.level) } }
        }
        // What is left of several limits cannot be added up; the least counts most.
        text.add(
            "agentqueue_limit_remaining", .gauge, "What is left of a limit per minute.", labels: ["resource", "limit"], most: 60,
            Array(remaining.sorted { ($0.value, $0.labels.joined()) < ($1.value, $1.labels.joined()) }.prefix(60)))
        text.add(
            "agentqueue_spent_today_usd", .gauge, "Spent since midnight (UTC).", labels: ["resource"], most: 30,
            resources.map { MetricsText.Sample([$0.name], $0.spentToday) })
    }

    private func addRequests(to text: inout MetricsText) {
        let values = requests.values
        text.add(
            "agentqueue_http_requests_total", .counter, "Requests that have ended.", labels: ["route", "status"], most: 80,
            values.requests.map { .init($0.key, Double($0.value)) })
        text.add(
            "agentqueue_http_request_duration_seconds", "From a request's head to the end of its answer.", label: "route", values.durations)
        text.add(
            "agentqueue_http_first_byte_seconds", "From a request's head to the beginning of its answer.", label: "route", values.firstBytes
        )
        text.add(
            "agentqueue_overhead_seconds", "What a request took beyond the calls that were made for it.", label: "route", values.overheads)
        text.add("agentqueue_queue_wait_seconds", "From a job's check-in to its call.", label: "queue", values.waits)
        text.add("agentqueue_call_duration_seconds", "From a call's beginning to its end.", label: "target", values.calls)
        text.add(
            "agentqueue_attached_total", .counter, "Requests that were attached to an earlier one.", labels: ["by"], most: 3,
            Attachment.allCases.map { MetricsText.Sample([$0.rawValue], Double(values.attached[$0] ?? 0)) })
        text.add(
            "agentqueue_disconnects_total", .counter, "Requests whose answer was not sent whole.", labels: ["outcome"], most: 6,
            values.disconnects.map { MetricsText.Sample([$0.key], Double($0.value)) })
        text.add("agentqueue_waiting_requests", .gauge, "Requests that wait for a job.", [MetricsText.Sample([], Double(gauges.waiting()))])
        text.add("agentqueue_streams", .gauge, "Streamed answers under way.", [MetricsText.Sample([], Double(values.streams))])
        text.add("agentqueue_connections", .gauge, "Open connections.", [MetricsText.Sample([], Double(gauges.connections()))])
    }

    private func addProcess(_ figures: QueueFigures, to text: inout MetricsText) {
        text.add(
            "agentqueue_database_bytes", .gauge, "Size of the database by part.", labels: ["part"], most: 3,
            [
                MetricsText.Sample(["file"], Double(figures.databaseBytes)), MetricsText.Sample(["wal"], Double(figures.walBytes)),
                MetricsText.Sample(["free"], Double(figures.freeBytes)),
            ])
        text.add("agentqueue_commit_seconds", "Commits of changes to the database.", figures.commits)
        text.add(
            "agentqueue_last_commit_timestamp_seconds", .gauge, "When this process last committed a change.",
            figures.lastCommit.map { [MetricsText.Sample([], Double($0) / 1_000)] } ?? [])
        text.add("agentqueue_workers", .gauge, "Registered worker processes.", [MetricsText.Sample([], Double(figures.workers))])
        text.add("agentqueue_build_info", .gauge, "The version.", labels: ["version"], [MetricsText.Sample([Version.text], 1)])
    }
}
