import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database backup`
struct DatabaseBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database, beside live workers.",
        discussion: """
            The copy is of one moment, and stands alone. A file that is there is not overwritten.

              agent-queue database backup "queue-$(date +%F).db"
            """)

    @Argument(help: ArgumentHelp("Where to.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try DatabaseFileCheck.requireFile(session.settings.database)
        try await session.withStore(createsFile: false) { try $0.backup(to: file) }
        var output = Output()
        if format.json {
            try output.json(.object([.init("database", .string(session.settings.database)), .init("backup", .string(file))]))
        } else {
            try output.line("\(DisplayText.line(file)) written")
        }
        try output.flush()
    }
}
