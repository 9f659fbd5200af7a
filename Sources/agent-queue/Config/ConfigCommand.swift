import ArgumentParser

/// `agent-queue config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show, check or begin the configuration.",
        discussion: """
              agent-queue config show
            """,
        subcommands: [ConfigShowCommand.self, ConfigCheckCommand.self, ConfigInitCommand.self])
}
