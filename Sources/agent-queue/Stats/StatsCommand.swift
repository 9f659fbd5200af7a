import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue stats`
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show counts, throughput, latency, tokens and cost.",
        discussion: """
            Reads counts that are kept, so that it answers at once whatever the number of jobs.

              agent-queue stats --watch
              agent-queue stats --json | jq .states
            """)

    @Flag(name: .long, help: "Show it again and again, until interrupted.")
    var watch = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("With --watch: how often. Default: 2s.", valueName: "duration"),
        transform: DurationOption.parse)
    var interval: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let interval else { return }
        if !watch { throw ValidationError("--interval needs --watch") }
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
        let statistics = try store.statistics()
        let doubtful = format.json && statistics.maybePaidCalls > 0 ? try store.doubtfulCalls(limit: StatsJSON.mostDoubtful) : []
        let isAlive = { (worker: WorkerSummary) in store.locks.isAlive(worker: worker.id) }
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
