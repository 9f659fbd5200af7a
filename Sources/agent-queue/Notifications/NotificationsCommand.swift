import ArgumentParser

/// `agent-queue notifications`
struct NotificationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notifications",
        abstract: "Look at what was told of jobs, batches and runs that have ended.",
        discussion: """
            `notifications:` of the configuration names commands and webhooks; --on-finish and --on-batch-finish say what they tell of. \
            Worker processes tell it, again where it fails.

              agent-queue notifications list --state failed
              agent-queue notifications check pager
            """,
        subcommands: [NotificationsListCommand.self, NotificationsRetryCommand.self, NotificationsCheckCommand.self])
}
