import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue run cancel`
struct RunCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel runs and their jobs.",
        discussion: """
            Waiting jobs are cancelled immediately, running jobs within a second, on any worker.

              agent-queue run cancel 3
            """)

    @Argument(help: ArgumentHelp("Run IDs.", valueName: "id"))
    var ids: [Int64]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var report = RunChangeReport(json: format.json)
            let before = try store.runStates(of: ids)
            for id in ids {
                guard let state = try await store.cancel(run: id) else {
                    try report.add(id, .notFound)
                    continue
                }
                let wasOpen = before[id]?.isFinal == false && state == .cancelled
                try report.add(id, wasOpen ? .changed(state, "cancelled") : .unchanged(state))
            }
            // The jobs of a run with very many go in slices; any worker goes on with it, should this end here.
            while try await store.sweepRuns() {}
            try report.end()
        }
    }
}

/// `agent-queue run retry`
struct RunRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Retry failed or cancelled runs.",
        discussion: """
            Repeats the failed steps and the steps that depend on them; keeps completed steps.

              agent-queue run retry 3
            """)

    @Argument(help: ArgumentHelp("Run IDs.", valueName: "id"))
    var ids: [Int64]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let queue = try JobQueue(session.settings, environment: session.environment)
        defer { queue.store.close() }
        var report = RunChangeReport(json: format.json)
        for id in ids {
            guard let state = try queue.store.runStates(of: [id])[id] else {
                try report.add(id, .notFound)
                continue
            }
            guard state == .failed || state == .cancelled else {
                try report.add(id, .unchanged(state))
                continue
            }
            try await queue.retry(run: id)
            try report.add(id, .changed(try queue.store.runStates(of: [id])[id] ?? .running, "retried"))
        }
        try report.end()
    }
}

/// Prints what `run cancel` and `run retry` have done. What could not be done is said on standard error too, and makes the exit code.
struct RunChangeReport {
    private let json: Bool
    private var output = Output()
    private var table = Table([Column("ID", isNumber: true), Column("RESULT")])
    private var hasFailed = false

    /// What became of a run.
    enum Change {
        /// It was changed, and now stands so; the word says what was done.
        case changed(RunState, String)
        case unchanged(RunState)
        case notFound
    }

    init(json: Bool) {
        self.json = json
    }

    mutating func add(_ id: Int64, _ change: Change) throws {
        let (word, state, sentence): (String, RunState?, String) =
            switch change {
            case .changed(let state, let done): ("changed", state, done)
            case .unchanged(let state): ("unchanged", state, "unchanged: \(state.rawValue)")
            case .notFound: ("not_found", nil, "not found")
            }
        if state == nil {
            hasFailed = true
            Diagnostics.say("run \(id): \(sentence)")
        } else if !json {
            table.add([Cell("\(id)"), Cell(sentence)])
        }
        guard json else { return }
        try output.json(
            .object([
                .init("id", .integer(id)), .init("result", .string(word)), .init("state", JobJSON.string(state?.rawValue)),
                .init("reason", word == "changed" ? .null : .string(sentence)),
            ]))
    }

    /// - Throws: the exit code, where a run was not there.
    mutating func end() throws {
        if !table.isEmpty { try output.lines(table.takeLines()) }
        try output.flush()
        if hasFailed { throw ExitCode(ExitStatus.badInput.rawValue) }
    }
}
