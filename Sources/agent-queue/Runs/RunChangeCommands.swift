import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
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
            var report = ChangeReport("run", format)
            let before = try store.runs.states(of: ids)
            for id in ids {
                guard let state = try await store.runs.cancel(run: id) else {
                    try report.add(ChangeOutcome(run: id, nil, nil))
                    continue
                }
                let wasOpen = before[id]?.isFinal == false && state == .cancelled
                try report.add(ChangeOutcome(run: id, state, wasOpen ? .cancelled : nil))
            }
            // Cancels the jobs of large runs in slices. If this process ends here, any worker continues.
            while try await store.runs.sweep() {}
            try report.finish()
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
        try DatabaseFileCheck.requireFile(session.settings.database)
        let queue = try JobQueue(session.settings, environment: session.environment)
        defer { queue.store.close() }
        var report = ChangeReport("run", format)
        for id in ids {
            guard let state = try queue.store.runs.states(of: [id])[id] else {
                try report.add(ChangeOutcome(run: id, nil, nil))
                continue
            }
            guard state == .failed || state == .cancelled else {
                try report.add(ChangeOutcome(run: id, state, nil))
                continue
            }
            try await queue.retry(run: id)
            try report.add(ChangeOutcome(run: id, try queue.store.runs.states(of: [id])[id] ?? .running, .retried))
        }
        try report.finish()
    }
}
