import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue cache delete`
struct CacheDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Forget a cached answer.",
        discussion: """
              agent-queue cache delete 3f2a9c
            """)

    @Argument(help: ArgumentHelp("The digest, or its beginning.", valueName: "digest"))
    var digest: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let entry = try CacheLookup.entry(digest, in: store)
            let deleted = try await store.deleteCacheEntry(entry.digest)
            var output = Output()
            let name = Hexadecimal.text(entry.digest)
            if format.json {
                try output.json(.object([.init("digest", .string(name)), .init("deleted", .bool(deleted))]))
            } else {
                try output.line("\(name) \(deleted ? "deleted" : "was gone already")")
            }
            try output.flush()
        }
    }
}
