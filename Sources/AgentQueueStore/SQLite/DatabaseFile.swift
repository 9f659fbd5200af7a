import AgentQueueModel
import CAgentQueue
import GRDB
import GRDBSQLite
import Glibc
import Synchronization

/// Creates, checks and opens the database file as the store requires.
enum DatabaseFile {
    /// "AGQU", which marks a file as an AgentQueue database.
    static let applicationID: Int32 = 0x4147_5155

    /// The largest value or row: 72 MiB, slightly more than the 64 MiB that are allowed.
    private static let maxLength: CInt = 72 << 20

    /// The configuration of every connection. The order matters: GRDB sets the busy handler before it calls `prepareDatabase`.
    static func configuration(durability: Durability) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .callback(BusyHandler.wait)
        configuration.maximumReaderCount = 4
        configuration.label = "agent-queue"
        configuration.publicStatementArguments = false
        configuration.prepareDatabase { database in
            guard let connection = database.sqliteConnection else { return }
            try harden(connection)
            let synchronous = durability == .full ? "FULL" : "NORMAL"
            try database.execute(
                sql: """
                    PRAGMA mmap_size = 0;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -8192;
                    PRAGMA cache_spill = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA trusted_schema = OFF;
                    PRAGMA journal_size_limit = 33554432;
                    PRAGMA synchronous = \(synchronous);
                    PRAGMA wal_autocheckpoint = 0;
                    """)
        }
        return configuration
    }

    /// Turns off the features that a hostile file could exploit, and the checkpoint on close: a single `enqueue` would otherwise delete
    /// the WAL and recreate it every time.
    private static func harden(_ connection: OpaquePointer) throws {
        let off = [SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL]
        let on = [SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE]
        for option in off where platform_sqlite_set_option(connection, option, false) != 0 {
            throw StoreError(.internal, "SQLite refused to switch off its option \(option)")
        }
        for option in on where platform_sqlite_set_option(connection, option, true) != 1 {
            throw StoreError(.internal, "SQLite refused to switch on its option \(option)")
        }
        sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, maxLength)
        sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0)
    }

    /// Prepares a new file before it is opened as a pool: `auto_vacuum` must be set before the first page is written, and GRDB's pool
    /// writes one. Several processes may do this at once.
    static func prepareNew(_ path: String) throws {
        try creation.withLock { _ in
            do {
                // Only if the file does not exist: another store of this process may have it open, and closing a second descriptor would
                // drop SQLite's locks.
                if try !PrivateFile.inspect(path) { close(try PrivateFile.open(path, flags: O_RDWR | O_CREAT | O_EXCL)) }
            } catch {
                // Another process may have created it first.
                guard try PrivateFile.inspect(path) else { throw error }
            }
        }
        guard try isEmpty(path) else { return }
        let database = try DatabaseQueue(path: path, configuration: configuration(durability: .full))
        defer { try? database.close() }
        try database.inDatabase { database in
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.inTransaction(.immediate) {
                if try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 {
                    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                }
                return .commit
            }
            try database.execute(sql: "PRAGMA journal_mode = WAL")
        }
    }

    private static let creation = Mutex(())

    private static func isEmpty(_ path: String) throws -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw PrivateFile.failure(path, errno) }
        return status.st_size == 0
    }

    /// Refuses a foreign file before anything in it or next to it is changed: opening a pool would switch it to WAL mode.
    /// - Returns: the connection used for the check; nil for an empty file. Keep it open until the pool is open: the last connection of
    ///   all processes to close removes the WAL index, and the next one to open must read the whole WAL to rebuild it.
    static func refuseForeign(_ path: String, configuration: Configuration) throws -> DatabaseQueue? {
        guard try !isEmpty(path) else { return nil }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.inDatabase { try checkIdentity($0, path: path) }
        return database
    }

    /// Refuses a file that is not an AgentQueue database.
    static func checkIdentity(_ database: Database, path: String) throws {
        for _ in 0..<patience {
            let id = try Int32.fetchOne(database, sql: "PRAGMA application_id")
            if id == applicationID { return }
            // Another process may be about to initialize an empty file.
            guard id == 0, try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 else { break }
            _ = BusyHandler.wait(0)
        }
        throw StoreError(.notOurs, "\(path): not an agent-queue database")
    }

    /// How often an empty file is checked, about a millisecond apart, before it is considered foreign.
    private static let patience = 200

    /// Restores the settings that GRDB's pool overrides (it sets `synchronous=NORMAL` after `prepareDatabase`), and reads back every
    /// setting that a guarantee depends on.
    static func settle(_ database: Database, durability: Durability, path: String) throws {
        try database.execute(sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
        let expected: [(pragma: String, value: String)] = [
            ("synchronous", durability == .full ? "2" : "1"), ("journal_mode", "wal"), ("foreign_keys", "1"), ("cache_spill", "0"),
            ("wal_autocheckpoint", "0"), ("mmap_size", "0"), ("auto_vacuum", "2"), ("trusted_schema", "0"),
        ]
        for (pragma, value) in expected {
            let row = try Row.fetchOne(database, sql: "PRAGMA \(pragma)")
            let actual = row.flatMap { String.fromDatabaseValue($0[0]) ?? Int64.fromDatabaseValue($0[0]).map(String.init) }
            guard actual == value else {
                throw StoreError(.internal, "\(path): SQLite's \(pragma) is \(actual ?? "unset") where it must be \(value)")
            }
        }
    }
}

/// How a connection waits for another process's lock: random sleeps of 0.2 to 2 ms.
///
/// SQLite's own handler sleeps longer after each try, so that under steady load the connection that has waited longest is served last;
/// with `synchronous=FULL` it starves a process completely. Random sleeps are fair, as `aq-bench contend` with several processes shows.
enum BusyHandler {
    /// The longest that one statement waits, in tries of 1.1 ms on average: about 10 s.
    private static let maxTries = 9_000

    /// Sleeps before another try; returns false once the limit is reached.
    static func wait(_ tries: Int) -> Bool {
        guard tries < maxTries else { return false }
        usleep(UInt32.random(in: 200...2_000))
        return true
    }
}
