import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue run wait`
struct RunWaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait for runs to finish, and show their steps.",
        discussion: """
            Exits with 0 if all runs complete, 1 if any fails or is cancelled, and 2 on timeout.

              agent-queue run wait 3
              agent-queue run wait 3 4 --timeout 1h --json
            """)

    @Argument(help: ArgumentHelp("Run IDs.", valueName: "id"))
    var ids: [Int64]

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum time to wait, such as 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            try await RunWait(ids: ids, timeout: timeout, session: session).run(in: store)
            try report(store)
        }
    }

    private func report(_ store: QueueStore) throws {
        var listing = Listing(
            format,
            [
                Column("ID", isNumber: true), Column("STATE", .fixed), Column("TOOK", isNumber: true), Column("COST", isNumber: true),
                Column("REASON", .text),
            ])
        var failed = 0
        for id in ids {
            guard let run = try store.runs.detail(id) else { throw CommandFailure(.badInput, "run \(id) was pruned while waiting for it") }
            let summary = run.summary
            if summary.state != .completed { failed += 1 }
            let took = summary.finalizedAt.map { Figures.duration(milliseconds: $0 - summary.createdAt) } ?? ""
            try listing.add(
                RunJSON.detail(run),
                row: [
                    Cell("\(id)"), Cell(summary.state.rawValue, Style.of(summary.state)), Cell(took),
                    Cell(Figures.money(summary.cost, unpriced: summary.unpricedCalls)),
                    Cell(DisplayText.line(summary.reason ?? "", limit: 200)),
                ])
        }
        try listing.finish()
        if failed > 0 { throw CommandFailure(.jobFailed, "\(failed) of \(Figures.count(ids.count, "run")) failed or were cancelled") }
    }
}

/// Waits for runs to finish and shows their steps. Woken when jobs and runs finish, instead of polling.
struct RunWait {
    let ids: [Int64]
    /// Nil waits forever.
    let timeout: Duration?
    let session: Session
    /// Whether to show runs that have already finished, because they were just started.
    var showsEnded = false

    /// - Throws: `CommandFailure` if a run does not exist, or on timeout.
    func run(in store: QueueStore) async throws {
        let states = try store.runs.states(of: ids)
        if let missing = ids.first(where: { states[$0] == nil }) { throw RunFailure.notFound(missing) }
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            CommandFailure(
                .timedOut,
                ids.count == 1
                    ? "timed out after \(duration): run \(ids[0]) has not finished"
                    : "timed out after \(duration): not all \(ids.count) runs have finished")
        }
    }

    private func wait(in store: QueueStore) async throws {
        var open = try open(ids, in: store)
        guard showsEnded || !open.isEmpty else { return }
        var hints = WaitHints(session, store)
        var views = (showsEnded ? ids : open).map { RunProgress(run: $0, isOneOfSeveral: ids.count > 1) }
        var screen = LiveBlock(screen: .error)
        defer { screen.clear() }
        for await _ in store.changes(of: .done) {
            open = try self.open(open, in: store)
            for index in views.indices { try views[index].look(at: store) }
            if open.isEmpty {
                screen.show(views.flatMap(\.lines))
                return screen.leave()
            }
            let news = try await hints.look { try RunWaits.unfinished(of: open, in: store) }
            guard Screen.error.isTerminal else {
                for sentence in news { Diagnostics.say("waiting: \(sentence)") }
                continue
            }
            // Under the steps, as long as it holds them up.
            screen.show(views.flatMap(\.lines) + hints.current.map { "waiting: \(DisplayText.line($0))" })
        }
    }

    private func open(_ ids: [Int64], in store: QueueStore) throws -> [Int64] {
        let states = try store.runs.states(of: ids)
        return ids.filter { states[$0].map { !$0.isFinal } ?? false }
    }
}

/// Why runs do not go on.
enum RunWaits {
    /// Some jobs of runs that have not finished; if one runs, that one, as it shows that the runs go on.
    static func unfinished(of runs: [Int64], in store: QueueStore) throws -> [Job] {
        var jobs: [Job] = []
        for run in runs.prefix(WaitHints.maxJobs) {
            let running = try store.jobs.list(JobFilter(states: [.running], run: run), limit: 1)
            guard running.isEmpty else { return running }
            let waiting: [JobState] = [.available, .retryable, .scheduled, .pending]
            jobs += try store.jobs.list(JobFilter(states: waiting, run: run), limit: WaitHints.maxJobs)
        }
        return jobs
    }

    /// Why no job of a run is running; empty if one is, or if the run has finished.
    static func reasons(of run: RunDetail, in store: QueueStore, _ session: Session) async throws -> [WaitReason] {
        guard !run.summary.state.isFinal else { return [] }
        let now = Now.milliseconds
        var diagnosis = try await WaitDiagnosis(session.settings, environment: session.environment, store, now: now)
        return try diagnosis.reasons(for: try unfinished(of: [run.summary.id], in: store), now: now)
    }
}

/// Shows the progress of a run: its steps on a terminal, otherwise a line for each finished call.
struct RunProgress {
    let run: Int64
    let isOneOfSeveral: Bool
    private var nodes: [StepNode]?
    private var told: Set<String> = []
    private var lookedAt = -1.0
    /// The lines shown on a terminal.
    private(set) var lines: [String] = []

    /// Minimum interval between updates, in seconds.
    private static let interval = 0.1

    init(run: Int64, isOneOfSeveral: Bool) {
        self.run = run
        self.isOneOfSeveral = isOneOfSeveral
    }

    /// Reads the run's state. Off a terminal, prints the calls that finished since the last look.
    mutating func look(at store: QueueStore) throws {
        let now = Now.seconds
        let isFinal = try store.runs.states(of: [run])[run]?.isFinal ?? true
        guard isFinal || now - lookedAt >= Self.interval else { return }
        lookedAt = now
        guard let detail = try store.runs.detail(run) else { return }
        guard Screen.error.isTerminal else { return tell(detail) }
        let nodes = try self.nodes ?? Pipeline(definition: detail.snapshot.definition).nodes
        self.nodes = nodes
        let tree = RunTree(RunGraph(nodes, detail), all: false, now: Now.milliseconds, screen: .error)
        lines = (isOneOfSeveral ? ["run \(run)  \(DisplayText.line(detail.summary.name))"] : []) + tree.lines
    }

    private mutating func tell(_ detail: RunDetail) {
        for call in detail.calls where NodeStatus(call).isFinal && told.insert(call.record.path).inserted {
            var parts = [NodeStatus(call).rawValue]
            if let duration = StepTotals([call]).duration(now: Now.milliseconds) { parts.append(Figures.duration(milliseconds: duration)) }
            let tokens = StepTotals([call]).usage
            if tokens.inputTokens > 0 { parts.append(Figures.count(tokens.inputTokens + tokens.outputTokens, "token")) }
            if call.cost ?? 1 > 0 { parts.append(StepTotals([call]).costWords) }
            if NodeStatus(call) != .completed, let failure = call.failure { parts.append(String(failure.prefix(500))) }
            Diagnostics.say("run \(run): \(call.record.path) \(parts.joined(separator: ", "))")
        }
    }
}
