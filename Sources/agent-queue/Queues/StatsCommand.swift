import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue stats`
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show job counts, throughput, latency, tokens and cost.",
        discussion: """
            Answers immediately, however many jobs there are.

              agent-queue stats --watch
              agent-queue stats --json | jq .states
            """)

    @Flag(name: .long, help: "Refresh until interrupted.")
    var watch = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("With --watch: refresh interval. Default: 2s.", valueName: "duration"),
        transform: DurationOption.parse)
    var interval: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let interval else { return }
        if !watch { throw ValidationError("--interval requires --watch") }
        if interval < .milliseconds(100) { throw ValidationError("--interval must be at least 100ms") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            try print(store, to: &output)
            while watch {
                try await Task.sleep(for: interval ?? .seconds(2))
                try print(store, to: &output)
            }
        }
    }

    private func print(_ store: QueueStore, to output: inout Output) throws {
        let statistics = try store.maintenance.statistics()
        let doubtful = format.json && statistics.maybePaidCalls > 0 ? try store.providers.doubtfulCalls(limit: StatsJSON.mostDoubtful) : []
        let isAlive = store.maintenance.isRunning
        if format.json {
            try output.json(StatsJSON.statistics(statistics, doubtful: doubtful, isAlive: isAlive))
        } else {
            let isRedrawn = watch && Screen.output.isTerminal
            if isRedrawn { try output.text("\u{1B}[H\u{1B}[2J") }
            try output.lines(StatsPage(statistics, isAlive: isAlive).lines)
            if watch, !isRedrawn { try output.line() }
        }
        try output.flush()
    }
}

/// `stats` as tables.
struct StatsPage {
    private let statistics: Statistics
    private let isAlive: (WorkerSummary) -> Bool

    init(_ statistics: Statistics, isAlive: @escaping (WorkerSummary) -> Bool) {
        self.statistics = statistics
        self.isAlive = isAlive
    }

    var lines: [String] {
        var lines = QueueTable.lines(statistics.queues)
        if !statistics.lanes.isEmpty { lines += [""] + targets }
        if !statistics.providers.isEmpty { lines += [""] + providers }
        return lines + [""] + facts
    }

    private var targets: [String] {
        var table = Table(
            [
                Column("TARGET", leastWidth: 12), Column("OPEN", isNumber: true), Column("RUNNING", isNumber: true),
                Column("COMPLETED", isNumber: true), Column("CALLS", isNumber: true), Column("TOKENS IN", isNumber: true),
                Column("OUT", isNumber: true), Column("COST", isNumber: true), Column("CACHED", isNumber: true),
                Column("SAVED", isNumber: true),
            ], mayOmitZeros: true)
        for total in TargetTotals.of(statistics.lanes) {
            let open = [JobState.pending, .scheduled, .available, .retryable].reduce(0) { $0 + total.count($1) }
            table.add([
                Cell(DisplayText.line(total.target)), Cell(Figures.count(open)), Cell(Figures.count(total.count(.running))),
                Cell(Figures.count(total.count(.completed))), Cell(Figures.count(total.calls)),
                Cell(Figures.count(total.usage.inputTokens)),
                Cell(Figures.count(total.usage.outputTokens)), Cell(Figures.money(total.cost, unpriced: total.unpricedCalls)),
                Cell(Figures.count(total.cacheAnswers)),
                Cell(Figures.money(total.saved, unpriced: total.unpricedAnswers)),
            ])
        }
        return table.takeLines()
    }

    private var providers: [String] {
        let now = Now.milliseconds
        var table = Table([
            Column("PROVIDER", leastWidth: 12), Column("STATUS", .text, leastWidth: 12), Column("RUNNING", isNumber: true),
            Column("LIMITS", .text),
            Column("TODAY", isNumber: true), Column("LAST ERROR", .text),
        ])
        for state in statistics.providers {
            table.add([
                Cell(DisplayText.line(state.name)), Cell(ProviderStatus(unavailable: nil, state, now: now)),
                Cell(Figures.count(state.running)), Cell(ProviderStatus.limits(state, nil)),
                Cell(Figures.money(state.spentToday, unpriced: state.unpricedToday)),
                Cell(ProviderStatus.lastError(state, now: now)),
            ])
        }
        return table.takeLines()
    }

    private var facts: [String] {
        var sheet = DetailView()
        let completed =
            "\(Figures.decimal(Double(statistics.completedLastMinute) / 60, places: 1))/s over the last 60 s; "
            + "\(Figures.count(statistics.completedLastHour)) in the last hour"
        let discarded = statistics.discardedLastHour
        sheet.add("throughput", completed + (discarded > 0 ? ", \(Figures.count(discarded)) failed" : ""))
        sheet.add(
            "latency",
            statistics.latency.map { latency in
                [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)]
                    .map { "\($0.0) \(Figures.duration(milliseconds: $0.1))" }.joined(separator: ", ")
            })
        sheet.add(
            "possibly charged",
            statistics.mayHaveBeenCharged
                ? "\(Figures.money(statistics.maybePaid, unpriced: statistics.maybePaidUnpriced)) for \(Figures.count(statistics.maybePaidCalls, "call")) that returned no answer"
                : nil, .warning)
        let cache = statistics.cache
        sheet.add(
            "cache",
            "\(Figures.count(cache.entries, "answer")) in \(Figures.bytes(cache.bytes)); \(Figures.count(cache.hits, "hit")), "
                + Figures.count(cache.misses, "miss", plural: "misses")
                + (cache.evictions > 0 ? ", \(Figures.count(cache.evictions, "eviction"))" : ""))
        sheet.add("coalesced", cache.coalesced > 0 ? "\(Figures.count(cache.coalesced, "job")) shared the call of an identical job" : nil)
        sheet.add("saved", cache.saved ?? 1 > 0 ? "\(Figures.money(cache.saved)) by cached answers" : nil)
        sheet.add(
            "memories", statistics.memories > 0 ? "\(Figures.count(statistics.memories)) in \(Figures.bytes(statistics.memoryBytes))" : nil)
        let alive = statistics.workers.filter(isAlive)
        let running = alive.reduce(0) { $0 + $1.running }
        sheet.add(
            "workers", alive.isEmpty ? "none running; start 'agent-worker'" : "\(alive.count) running \(Figures.count(running, "job"))",
            alive.isEmpty ? .warning : nil)
        sheet.add(
            "database",
            "\(Figures.bytes(statistics.databaseBytes)), \(Figures.bytes(statistics.freeBytes)) free; WAL "
                + Figures.bytes(statistics.walBytes))
        return sheet.lines
    }
}
