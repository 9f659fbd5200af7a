import ArgumentParser

/// `agent-queue pipelines`
struct PipelinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipelines",
        abstract: "Show what can be run, and check pipelines.",
        subcommands: [PipelinesListCommand.self, PipelinesShowCommand.self, PipelinesCheckCommand.self],
        defaultSubcommand: PipelinesListCommand.self)
}
