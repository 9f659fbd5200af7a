import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue cache get`
struct CacheGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print a cached answer.",
        discussion: """
            By its digest, or the beginning of it: `cache list` and `show` print digests.

              agent-queue cache get 3f2a9c
            """)

    @Argument(help: ArgumentHelp("The digest, or its beginning.", valueName: "digest"))
    var digest: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let entry = try CacheLookup.entry(digest, in: store)
            var output = Output()
            if format.json {
                try output.json(CacheJSON.entry(entry, withReply: true))
            } else {
                let reply = try JSONValue.parse(entry.reply)
                try output.line(reply["text"]?.string.map { DisplayText.lines($0) } ?? JSONText.text(reply))
            }
            try output.flush()
        }
    }
}
