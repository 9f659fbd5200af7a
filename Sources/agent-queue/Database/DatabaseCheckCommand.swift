import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue database check`
struct DatabaseCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for damage, and for rows that contradict each other.",
        discussion: """
            Reads the whole file, beside live workers if there are any. Ends with 65 if it finds a fault.

              agent-queue database check
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let path = session.settings.database
        try DatabaseFileCheck.requireFile(path)
        let report = try await session.withStore(createsFile: false) { try $0.check() }
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("ok", .bool(report.isSound)), .init("faults", .array(report.faults.map(JSONValue.string))),
                    .init("sqlite_version", .string(report.sqliteVersion)), .init("guards_checkpoints", .bool(report.guardsCheckpoints)),
                ]))
        } else if report.isSound {
            try output.line("\(DisplayText.line(path)) is sound")
        }
        try output.flush()
        guard report.isSound else {
            for fault in report.faults { Diagnostics.say("\(path): \(fault)") }
            throw ExitCode(ExitStatus.badInput.rawValue)
        }
    }
}
