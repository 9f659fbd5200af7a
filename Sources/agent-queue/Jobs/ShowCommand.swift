import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue show`
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the details of a job.",
        discussion: """
            Its request, also as it was sent with memories in it; its state and what it is waiting for; a timeline of its waits and \
            attempts; its errors, usage, cost and result.

              agent-queue show 17
              agent-queue show 17 --json | jq .errors
            """)

    @Argument(help: ArgumentHelp("Job ID.", valueName: "id"))
    var id: Int64

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let job = try store.jobs.get(id) else { throw JobFailure.notFound(id) }
            let replaced = try store.jobs.replacedResult(of: id)
            var output = Output()
            let wait = job.state == .pending ? try store.jobs.wait(of: id).map(WaitSentence.of) : nil
            let timeline = JobTimeline(job, try store.jobs.history(of: id))
            if format.json {
                try output.json(JobJSON.job(job, waitsFor: wait, replaced: replaced, timeline: timeline))
            } else {
                let view = JobDetailView(
                    job, timeline, obstacles: try await obstacles(to: job, session, store), waitsFor: wait, now: Now.milliseconds)
                try output.lines(view.lines)
                if let text = replaced?.text {
                    let lines = DisplayText.lines(text).split(separator: "\n", omittingEmptySubsequences: false)
                    try output.lines(["", Style.apply(.bold, to: "Previous result", on: .output)] + lines.map { "    \($0)" })
                }
            }
            try output.flush()
        }
    }

    /// What holds a job up that could run, or that waits for others.
    private func obstacles(to job: Job, _ session: Session, _ store: QueueStore) async throws -> [String] {
        guard [.available, .retryable, .pending].contains(job.state) else { return [] }
        let now = Now.milliseconds
        var diagnosis = try await WaitDiagnosis(session.settings, environment: session.environment, store, now: now)
        return try diagnosis.reasons(for: [job], now: now).filter(\.isObstacle).map(\.advice)
    }
}
