import ArgumentParser

/// `agent-queue memory`
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Remember texts, and find them again by what they mean.",
        discussion: """
            Memories are texts with data of yours and a vector, in namespaces, kept in the same database as the jobs.

              agent-queue memory store --metadata topic=hours 'The office closes at six.'
              agent-queue memory search 'When can I come in?'
            """,
        subcommands: [
            MemoryStoreCommand.self, MemorySearchCommand.self, MemoryListCommand.self, MemoryGetCommand.self, MemoryDeleteCommand.self,
            MemoryStatsCommand.self, MemoryExportCommand.self, MemoryImportCommand.self, MemoryReembedCommand.self,
        ])
}
