import AgentQueue
import AgentQueueStore
import ArgumentParser
import Glibc

/// The `agent-queue` command-line tool.
@main
struct AgentQueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-queue",
        abstract: "A durable queue for model calls.",
        discussion: """
            Ask one question with `ask`. Add jobs with `enqueue`, run them with `agent-worker`, and read the answers with `result` \
            and `results`. Every command has `--help` with examples, and `--json` for scripts.

              agent-queue ask 'Why is the sky blue?'

            Exit codes: 0 success; 1 a job or run failed or was cancelled; 2 a wait timed out; 64 usage error; 65 invalid input; \
            69 a provider or the database is unavailable; 70 internal error; 74 I/O error; 77 permission denied; \
            78 invalid configuration.
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    AskCommand.self, EnqueueCommand.self, ListCommand.self, ShowCommand.self, ResultCommand.self, ResultsCommand.self,
                    WaitCommand.self,
                    CancelCommand.self, RetryCommand.self, DeleteCommand.self,
                ]),
            CommandGroup(
                name: "Queues",
                subcommands: [
                    QueuesCommand.self, BatchesCommand.self, PauseCommand.self, ResumeCommand.self, StatsCommand.self, CostsCommand.self,
                    PruneCommand.self,
                    CacheCommand.self,
                ]),
            CommandGroup(name: "Schedules and notifications", subcommands: [ScheduleCommand.self, NotificationsCommand.self]),
            CommandGroup(name: "Pipelines", subcommands: [RunCommand.self, RunsCommand.self, PipelinesCommand.self]),
            CommandGroup(name: "Memory", subcommands: [MemoryCommand.self]),
            CommandGroup(name: "Gateway", subcommands: [ServeCommand.self, KeysCommand.self]),
            CommandGroup(
                name: "Setup",
                subcommands: [ProvidersCommand.self, DatabaseCommand.self, DoctorCommand.self, ConfigCommand.self]),
        ])

    static func main() async {
        // A closed pipe (`| head`) then shows as an error of `write` and ends the command quietly.
        signal(SIGPIPE, SIG_IGN)
        Unstoppable.deferStops()
        do {
            let arguments = try CommandArguments.validated()
            try CommandArguments.refuseUnknownCommand(arguments, root: Self.self)
            var command = try await asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Glibc.exit(FailureReport.report(error))
        }
    }
}
