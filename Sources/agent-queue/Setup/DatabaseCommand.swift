import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Glibc

/// `agent-queue database`
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Manage the database.",
        discussion: """
              agent-queue database backup queue-backup.db
            """,
        subcommands: [
            DatabaseMigrateCommand.self, DatabaseStatusCommand.self, DatabaseCheckCommand.self, DatabaseBackupCommand.self,
            DatabaseRestoreCommand.self, DatabaseVacuumCommand.self,
        ])
}

/// `agent-queue database migrate`
struct DatabaseMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Migrate the database to the current schema.",
        discussion: """
            Other commands do this automatically; this one reports what it did. Creates the database if it does not exist.

              agent-queue database migrate
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let pending = try QueueStore.migrations(of: session.settings.database).pending
        try await session.withStore(createsFile: true) { _ in }
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

/// `agent-queue database status`
struct DatabaseStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the location, schema and size of the database.",
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
        let statistics = pending.isEmpty ? try await session.withStore { try $0.maintenance.statistics() } : nil
        var output = Output()
        if format.json {
            try output.json(json(path, applied, pending, statistics))
        } else {
            var sheet = DetailView()
            sheet.add("database", DisplayText.line(path))
            sheet.add("applied", applied.joined(separator: ", "))
            sheet.add(
                "pending", pending.isEmpty ? nil : pending.joined(separator: ", ") + "; run 'agent-queue database migrate' to apply",
                .warning)
            sheet.add("durability", session.settings.durability.rawValue)
            sheet.add("size", statistics.map { "\(Figures.bytes($0.databaseBytes)), \(Figures.bytes($0.freeBytes)) free" })
            sheet.add("WAL", statistics.map { Figures.bytes($0.walBytes) })
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

/// `agent-queue database check`
struct DatabaseCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the database for corruption and inconsistencies.",
        discussion: """
            Reads the whole file; safe to run while workers are running. Exits with 65 if it finds a problem.

              agent-queue database check
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let path = session.settings.database
        let report = try await session.withStore { try $0.maintenance.check() }
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("ok", .bool(report.isSound)), .init("faults", .array(report.faults.map(JSONValue.string))),
                    .init("sqlite_version", .string(report.sqliteVersion)), .init("guards_checkpoints", .bool(report.guardsCheckpoints)),
                ]))
        } else if report.isSound {
            try output.line("\(DisplayText.line(path)): no problems found")
        }
        try output.flush()
        guard report.isSound else {
            for fault in report.faults { Diagnostics.say("\(path): \(fault)") }
            throw ExitCode(ExitStatus.badInput.rawValue)
        }
    }
}

/// `agent-queue database backup`
struct DatabaseBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the database.",
        discussion: """
            Makes a consistent, self-contained copy while workers are running. Does not overwrite an existing file, and leaves nothing
            behind if it fails or is interrupted.

              agent-queue database backup "queue-$(date +%F).db"
            """)

    @Argument(help: ArgumentHelp("File to write.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            try Interruption.checking { try store.maintenance.backup(to: file, isCancelled: $0) }
        }
        var output = Output()
        if format.json {
            try output.json(.object([.init("database", .string(session.settings.database)), .init("backup", .string(file))]))
        } else {
            try output.line("\(DisplayText.line(file)) written")
        }
        try output.flush()
    }
}

/// `agent-queue database restore`
struct DatabaseRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore the database from a backup.",
        discussion: """
            Fails if a process is using the database or if the backup is damaged. Keeps the replaced database next to the new one.

              agent-queue database restore queue-2026-12-01.db
            """)

    @Argument(help: ArgumentHelp("Backup file.", valueName: "file"), completion: .file())
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
            if let replaced { Diagnostics.write("the previous database is now \(DisplayText.line(replaced))\n") }
        }
        try output.flush()
    }
}

/// `agent-queue database vacuum`
struct DatabaseVacuumCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Rebuild the database file to free space.",
        discussion: """
            Fails while workers are running, because they would have to wait; use `prune --vacuum` instead.

              agent-queue database vacuum
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let (before, after) = try await session.withStore { store in
            let before = try store.maintenance.statistics().databaseBytes
            try store.maintenance.vacuum()
            _ = try await store.maintenance.shrink()
            return (before, try store.maintenance.statistics().databaseBytes)
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

/// Checks of the database's file before the store opens it.
enum DatabaseFileCheck {
    /// - Throws: `CommandFailure` if there is none.
    static func requireFile(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) != 0, errno == ENOENT || errno == ENOTDIR, !QueueStore.isIncomplete(path) else { return }
        throw CommandFailure(
            .unavailable, "\(path): no database yet; add a job to create it, or choose another file with --database")
    }
}
