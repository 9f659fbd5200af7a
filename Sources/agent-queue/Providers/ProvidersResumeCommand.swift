import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue providers resume`
struct ProvidersResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused provider be called again.",
        discussion: """
            Ends its pause and those of its targets, and closes their breakers: for when the key, the account or the server is mended.

              agent-queue providers resume openai
            """)

    @Argument(help: ArgumentHelp("The provider's name.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let isKnown = try await store.resume(provider: name)
            // One that is configured and was never called needs no resuming.
            if !isKnown, session.settings.providers[name] == nil {
                let hint = Suggestion.hint(for: name, in: session.settings.providers.keys.sorted())
                throw CommandFailure(.usage, "unknown provider \(InvalidText.quoted(name))\(hint)")
            }
            var output = Output()
            if format.json {
                try output.json(.object([.init("provider", .string(name)), .init("resumed", .bool(isKnown))]))
            } else {
                let sentence = isKnown ? "may be called again" : "was not paused"
                try output.line("provider \(DisplayText.line(name)) \(sentence)")
            }
            try output.flush()
        }
    }
}
