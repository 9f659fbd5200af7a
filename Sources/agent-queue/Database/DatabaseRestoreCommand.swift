import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database restore`
struct DatabaseRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the database's place.",
        discussion: """
            Refuses while any process uses the database, and a backup that is not sound. What stood there is kept beside it.

              agent-queue database restore queue-2026-12-01.db
            """)

    @Argument(help: ArgumentHelp("The backup.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let path = try Session(global).settings.database
        let replaced = try QueueStore.restore(from: file, to: path)
        var output = Output()
        if format.json {
            try output.json(.object([.init("database", .string(path)), .init("replaced", JobJSON.string(replaced))]))
        } else {
            try output.line("\(DisplayText.line(path)) restored")
            if let replaced { Diagnostics.write("what stood there is now \(DisplayText.line(replaced))\n") }
        }
        try output.flush()
    }
}
