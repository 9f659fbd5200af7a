import ArgumentParser

/// `agent-queue database`
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Look after the database's file.",
        discussion: """
              agent-queue database backup queue-backup.db
            """,
        subcommands: [
            DatabaseMigrateCommand.self, DatabaseStatusCommand.self, DatabaseCheckCommand.self, DatabaseBackupCommand.self,
            DatabaseRestoreCommand.self, DatabaseVacuumCommand.self,
        ])
}
