import ArgumentParser

/// `agent-queue providers`
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List the configured providers, or try them.",
        discussion: """
              agent-queue providers check local
            """,
        subcommands: [ProvidersListCommand.self, ProvidersCheckCommand.self])
}
