import ArgumentParser

/// `agent-queue run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start a pipeline, and look after runs.",
        discussion: """
            A run is a graph of jobs: each step is one call of a model, or several at once, and begins when what it needs is there. \
            `agent-queue pipelines` lists what can be run.

              agent-queue run summarize --input text=@report.txt --wait
              agent-queue run show 3
              agent-queue run output 3
            """,
        subcommands: [
            RunStartCommand.self, RunShowCommand.self, RunOutputCommand.self, RunWaitCommand.self, RunCancelCommand.self,
            RunRetryCommand.self,
        ],
        defaultSubcommand: RunStartCommand.self)
}
