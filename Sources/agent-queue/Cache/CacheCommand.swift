import ArgumentParser

/// `agent-queue cache`
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Look into the response cache, warm it, and clear it.",
        discussion: """
              agent-queue cache stats
            """,
        subcommands: [
            CacheStatsCommand.self, CacheListCommand.self, CacheGetCommand.self, CacheDeleteCommand.self, CacheClearCommand.self,
            CacheWarmCommand.self, CacheWhyCommand.self,
        ])
}
