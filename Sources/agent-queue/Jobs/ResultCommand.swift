import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue result`
struct ResultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result",
        abstract: "Print a job's answer.",
        discussion: """
            The reply's text alone; of an embed job a line for each vector. With --json the whole reply: text, usage, cost, and what \
            answered.

              agent-queue result 17
              agent-queue result 17 --json | jq .usage
            """)

    @Argument(help: ArgumentHelp("The job's number.", valueName: "id"))
    var id: Int64

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let job = try store.job(id) else { throw JobFailure.notFound(id) }
            guard let result = job.result else {
                if job.state.isFinal { try JobFailure.check(job) }
                throw CommandFailure(
                    .badInput, "job \(id) is \(job.state.rawValue) and has no answer yet; 'agent-queue wait \(id)' waits for it")
            }
            var output = Output()
            try format.json ? output.json(JobJSON.result(result)) : output.lines(JobAnswer.lines(job))
            try output.flush()
        }
    }
}
