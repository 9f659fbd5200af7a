import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database status`
struct DatabaseStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show where the database is, its schema and its size.",
        discussion: """
              agent-queue database status
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let path = session.settings.database
        try DatabaseFileCheck.requireFile(path)
        let (applied, pending) = try QueueStore.migrations(of: path)
        // An older database is not brought up to date by a question about it.
        let statistics = pending.isEmpty ? try await session.withStore(createsFile: false) { try $0.statistics() } : nil
        var output = Output()
        if format.json {
            try output.json(json(path, applied, pending, statistics))
        } else {
            var sheet = Sheet()
            sheet.add("database", DisplayText.line(path))
            sheet.add("applied", applied.joined(separator: ", "))
            sheet.add(
                "to apply", pending.isEmpty ? nil : pending.joined(separator: ", ") + "; 'agent-queue database migrate' does it", .warning)
            sheet.add("durability", session.settings.durability.rawValue)
            sheet.add("size", statistics.map { "\(Figures.bytes($0.databaseBytes)), \(Figures.bytes($0.freeBytes)) of it free" })
            sheet.add("log", statistics.map { Figures.bytes($0.walBytes) })
            try output.lines(sheet.lines)
        }
        try output.flush()
    }

    private func json(_ path: String, _ applied: [String], _ pending: [String], _ statistics: Statistics?) -> JSONValue {
        .object([
            .init("database", .string(path)), .init("applied", .array(applied.map(JSONValue.string))),
            .init("pending", .array(pending.map(JSONValue.string))),
            .init("bytes", statistics.map { .integer($0.databaseBytes) } ?? .null),
            .init("wal_bytes", statistics.map { .integer($0.walBytes) } ?? .null),
            .init("free_bytes", statistics.map { .integer($0.freeBytes) } ?? .null),
        ])
    }
}
