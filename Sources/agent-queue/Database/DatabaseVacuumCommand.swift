import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database vacuum`
struct DatabaseVacuumCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Rewrite the database's file without its gaps.",
        discussion: """
            Refuses beside live workers, who would have to wait; `prune --vacuum` works beside them.

              agent-queue database vacuum
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try DatabaseFileCheck.requireFile(session.settings.database)
        let (before, after) = try await session.withStore(createsFile: false) { store in
            let before = try store.statistics().databaseBytes
            try store.vacuum()
            return (before, try store.statistics().databaseBytes)
        }
        var output = Output()
        if format.json {
            try output.json(.object([.init("bytes_before", .integer(before)), .init("bytes_after", .integer(after))]))
        } else {
            try output.line("\(Figures.bytes(before)) before, \(Figures.bytes(after)) now")
        }
        try output.flush()
    }
}
