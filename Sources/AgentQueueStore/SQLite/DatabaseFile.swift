import AgentQueueModel
import CAgentQueue
import GRDB
import GRDBSQLite
import Glibc
import Synchronization

/// The database's file: made, checked and opened as the rules of the store ask.
enum DatabaseFile {
    /// "AGQU": says that a file is ours.
    static let applicationID: Int32 = 0x4147_5155

    /// The largest value or row: 64 MiB and some.
    private static let maxLength: CInt = 72 << 20

    /// The configuration of every connection. Order matters: the busy handler comes first (GRDB sets it before
    /// `prepareDatabase`).
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

    /// What a hostile file could use is off, and closing does not checkpoint: a lone `enqueue` would otherwise delete
    /// the WAL and make it anew each time.
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

    /// Makes a new file ready before anything opens it as a pool: `auto_vacuum` must be set before the first page is
    /// written, and GRDB's pool writes one. Several processes may do this at once.
    static func prepareNew(_ path: String) throws {
        try creation.withLock { _ in
            do {
                // Only where there is none: another store of this process may have the file open, and closing a second
                // descriptor of it would drop SQLite's locks.
                if try !PrivateFile.inspect(path) { close(try PrivateFile.open(path, flags: O_RDWR | O_CREAT | O_EXCL)) }
            } catch {
                // Another process may have been faster.
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

    /// Refuses a file that is not ours before anything is changed in it, or beside it: a pool would turn it to WAL.
    /// - Returns: the connection that looked; nil for a file that holds nothing. It is to stay open until the pool is: with the last
    ///   connection of all processes goes the index of the WAL, and whoever opens next reads the whole WAL to make it anew.
    static func refuseForeign(_ path: String, configuration: Configuration) throws -> DatabaseQueue? {
        guard try !isEmpty(path) else { return nil }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.inDatabase { try checkIdentity($0, path: path) }
        return database
    }

    /// Refuses a file that is not ours.
    static func checkIdentity(_ database: Database, path: String) throws {
        for _ in 0..<patience {
            let id = try Int32.fetchOne(database, sql: "PRAGMA application_id")
            if id == applicationID { return }
            // One that holds nothing yet may be about to be made ours by another process.
            guard id == 0, try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 else { break }
            _ = BusyHandler.wait(0)
        }
        throw StoreError(.notOurs, "\(path): not an agent-queue database")
    }

    /// How often a file that holds nothing is looked at, about a millisecond apart, before it is taken for another's.
    private static let patience = 200

    /// Sets what GRDB's pool has undone (it sets NORMAL after `prepareDatabase`), and reads back every setting that a
    /// promise hangs on.
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
/// SQLite's own handler sleeps longer and longer, so that under steady load the one that waits longest is served last;
/// with `synchronous=FULL` it starves a process completely. Random sleeps are fair; `aq-bench contend` in several processes shows it.
enum BusyHandler {
    /// The longest that one statement waits, in tries of 1.1 ms on average: about 10 s.
    private static let maxTries = 9_000

    /// Waits once more; false when it has been too long.
    static func wait(_ tries: Int) -> Bool {
        guard tries < maxTries else { return false }
        usleep(UInt32.random(in: 200...2_000))
        return true
    }
}
