import ArgumentParser

/// `agent-queue schedule`
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Add jobs and start runs again and again, at the times of a cron expression.",
        discussion: """
            While a worker runs, exactly one worker process fires each. What was due while none ran is made up for as --missed says.

              agent-queue schedule add '0 7 * * mon-fri' --name digest --time-zone Europe/Lisbon 'What should I read today?'
              agent-queue schedule list
              agent-queue schedule next '@weekly'
            """,
        subcommands: [
            ScheduleAddCommand.self, ScheduleListCommand.self, ScheduleNextCommand.self, SchedulePauseCommand.self,
            ScheduleResumeCommand.self, ScheduleRemoveCommand.self,
        ])
}
