import ArgumentParser

/// `agent-queue providers`
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List the configured providers and their batches, try them, or end a pause.",
        discussion: """
              agent-queue providers check local
              agent-queue providers resume openai
            """,
        subcommands: [ProvidersListCommand.self, ProvidersCheckCommand.self, ProvidersResumeCommand.self, ProvidersBatchesCommand.self])
}
