import AgentQueue
import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue run retry`
struct RunRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Take up runs again that failed or were cancelled.",
        discussion: """
            Only what failed, and what depended on it, is done anew; what has completed is kept.

              agent-queue run retry 3
            """)

    @Argument(help: ArgumentHelp("The runs' numbers.", valueName: "id"))
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
