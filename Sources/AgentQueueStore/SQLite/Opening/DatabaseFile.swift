import AgentQueueModel
import CAgentQueue
import GRDB
import GRDBSQLite
import Glibc

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

    /// Turns off the features that a hostile file could exploit, and the checkpoint on close, which ``SQLiteEngine/close()`` decides about: a
    /// single `enqueue` would otherwise delete the WAL and recreate it every time.
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

    // MARK: Files that are missing or do not belong together

    /// Makes a new database where there is none. Refuses to where files beside it show that there was one: an empty queue in its place would
    /// look like a queue without jobs.
    /// - Returns: whether it made one.
    static func createIfMissing(_ path: String, options: StoreOptions) throws -> Bool {
        let exists = try PrivateFile.inspect(path)
        if exists, try !isEmpty(path) { return false }
        guard leftovers(of: path).isEmpty else {
            try waitForMaker(path)
            return false
        }
        guard exists || options.createsFile else { throw StoreError(.notFound, "\(path): there is no such database") }
        guard exists else {
            try PrivateFile.makeFolder(of: path)
            try NewDatabase.create(at: path, now: options.clock.wall())
            return true
        }
        // Someone made an empty file for the database. Only one process may take its place.
        return try LockFile.shared(at: path + "-lock").whileUnused {
            guard try isEmpty(path) else { return false }
            unlink(path)
            try NewDatabase.create(at: path, now: options.clock.wall())
            return true
        }
    }

    /// The files beside a database that only exist once it does.
    static func leftovers(of path: String) -> [String] {
        ["-lock", "-wal"].map { path + $0 }.filter { FileIdentity(path: $0) != nil }
    }

    /// Waits a moment for another process that is about to put the database in its place.
    /// - Throws: `StoreError` if none does.
    private static func waitForMaker(_ path: String) throws {
        for _ in 0..<patience {
            if try PrivateFile.inspect(path), try !isEmpty(path) { return }
            _ = BusyHandler.wait(0)
        }
        let left = leftovers(of: path)
        if left.contains(path + "-lock"), try LockFile.shared(at: path + "-lock").isBeingRestored { throw LockFile.restoring(path) }
        let exists = FileIdentity(path: path) != nil
        throw StoreError(
            .incomplete,
            "\(path): the database is \(exists ? "empty" : "missing"), but there is \(left.joined(separator: " and ")): put the file back or "
                + "restore a backup; to begin with an empty queue, delete \(exists ? "all of them" : "what is left of it") first")
    }

    private static func isEmpty(_ path: String) throws -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw PrivateFile.failure(path, errno) }
        return status.st_size == 0
    }

    /// Refuses a foreign file, half a database, and one beside the log of another, before anything in it or next to it is changed: opening a
    /// pool would switch it to WAL mode.
    /// - Returns: the connection used for the check. Keep it open until the pool is open: the last connection of all processes to close
    ///   removes the WAL index, and the next one to open must read the whole WAL to rebuild it.
    static func refuseForeign(_ path: String, configuration: Configuration) throws -> DatabaseQueue {
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.inDatabase { database in
            try refuseForeignLog(database, path: path)
            try checkIdentity(database, path: path)
        }
        return database
    }

    /// Refuses a database beside a log that belongs to another file.
    static func refuseForeignLog(_ database: Database, path: String) throws {
        guard let connection = database.sqliteConnection else { return }
        for tries in 0..<3 {
            // The checksums decide, but only where the quick look finds a contradiction.
            guard let header = DatabaseHeader(connection), try !LogFile(of: path, verifies: false).fits(header),
                try !LogFile(of: path, verifies: true).fits(header)
            else { return }
            // Other processes have the file open, and may move the log into it while this one looks.
            if FileIdentity(path: path + "-lock") != nil, try LockFile.shared(at: path + "-lock").isUsed { return }
            _ = BusyHandler.wait(tries)
        }
        throw StoreError(
            .incomplete,
            "\(path): the write-ahead log beside it, \(path)-wal, belongs to another state of the database: restore the backup with the "
                + "program instead of copying it; or, if this file is the queue that you want, move its -wal and -shm files away")
    }

    /// Refuses a file that is not an AgentQueue database, or only a part of one.
    static func checkIdentity(_ database: Database, path: String) throws {
        var isOurs = false
        for _ in 0..<patience {
            let id = try Int32.fetchOne(database, sql: "PRAGMA application_id")
            isOurs = id == applicationID
            if isOurs, try Int32.fetchOne(database, sql: "PRAGMA user_version") != 0 { return }
            // Another process, of an earlier version, may be about to initialize it.
            guard isOurs || id == 0, try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 else { break }
            _ = BusyHandler.wait(0)
        }
        guard isOurs else { throw StoreError(.notOurs, "\(path): not an agent-queue database") }
        throw StoreError(
            .incomplete,
            "\(path): the database has no tables, as a copy without its write-ahead log (\(path)-wal): copy both files while no process uses "
                + "them, or restore a backup; to begin with an empty queue, delete this file")
    }

    /// How often an empty file is checked, about a millisecond apart, before it is considered foreign.
    private static let patience = 200

    /// The length of the write-ahead log in bytes; 0 if there is none.
    static func logLength(of path: String) -> Int64 {
        var status = stat()
        return lstat(path + "-wal", &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Closes the last connection to a database, and with it moves the log into the file and deletes it. SQLite does so only if no other
    /// connection of any process is open.
    static func closeWhole(_ database: DatabaseQueue) throws {
        try database.inDatabase { database in
            // The first read opens the log.
            _ = try Int32.fetchOne(database, sql: "PRAGMA user_version")
            guard let connection = database.sqliteConnection else { return }
            _ = platform_sqlite_set_option(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        }
        try database.close()
    }

    /// Restores the settings that GRDB's pool overrides (it sets `synchronous=NORMAL` after `prepareDatabase`), and reads back every
    /// setting that a guarantee depends on.
    static func applySettings(to database: Database, durability: Durability, path: String) throws {
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
