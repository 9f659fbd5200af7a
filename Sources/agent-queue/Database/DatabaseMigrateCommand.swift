import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database migrate`
struct DatabaseMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema up to this program's.",
        discussion: """
            Every command does so by itself; this one says what it did. Makes the database if there is none.

              agent-queue database migrate
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let pending = try QueueStore.migrations(of: session.settings.database).pending
        try await session.withStore { _ in }
        var output = Output()
        if format.json {
            try output.json(
                .object([.init("database", .string(session.settings.database)), .init("applied", .array(pending.map(JSONValue.string)))]))
        } else if pending.isEmpty {
            try output.line("\(DisplayText.line(session.settings.database)) is up to date")
        } else {
            try output.lines(pending.map { "\($0) applied" })
        }
        try output.flush()
    }
}
