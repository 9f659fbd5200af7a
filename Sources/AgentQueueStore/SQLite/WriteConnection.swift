import AgentQueueModel
import CAgentQueue
import GRDB
import GRDBSQLite

/// A write connection with its cache of prepared statements. Confined to one thread, which uses it within ``hold(_:)``.
final class WriteConnection {
    private let database: any DatabaseWriter
    let handle: OpaquePointer
    /// Keyed by the address of the SQL, which never changes, so that lookups are as cheap as possible.
    private var statements: [UnsafeRawPointer: Statement] = [:]

    /// The write connection of a pool or queue, which must stay open until ``finalize()``.
    init(of database: any DatabaseWriter) throws(SQLFailure) {
        guard let handle = database.writeWithoutTransaction({ $0.sqliteConnection }) else { throw .closed }
        self.database = database
        self.handle = handle
    }

    /// A separate connection to a database that exists and is migrated. The caller must close it.
    convenience init(path: String, durability: Durability) throws {
        try self.init(of: DatabaseQueue(path: path, configuration: DatabaseFile.configuration(durability: durability)))
    }

    /// Closes the database that the connection belongs to.
    func close() {
        finalize()
        try? database.close()
    }

    /// Runs `body` while no other thread has the connection. A transaction must begin and end within it.
    func hold<T>(_ body: () throws -> T) rethrows -> T {
        try database.writeWithoutTransaction { _ in try Unstoppable.run(body) }
    }

    // MARK: Statements

    /// The prepared statement of a literal, cached by the connection.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement {
        let key = UnsafeRawPointer(sql.utf8Start)
        if let statement = statements[key] { return statement }
        let statement = try Statement(sql.description, on: handle)
        statements[key] = statement
        return statement
    }

    /// The prepared statement of a text composed once, cached by the connection.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement {
        let key = UnsafeRawPointer(Unmanaged.passUnretained(sql).toOpaque())
        if let statement = statements[key] { return statement }
        let statement = try Statement(sql.text, on: handle)
        statements[key] = statement
        return statement
    }

    /// A statement composed at run time, with its values bound; not cached.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try Statement(sql, on: handle) }

    /// Frees the statements. Must be called before the connection closes.
    func finalize() { statements.removeAll() }

    // MARK: Transactions

    /// Begins a transaction that holds the write lock from its start.
    func begin() throws(SQLFailure) { try statement("BEGIN IMMEDIATE").run() }

    /// How many rows the connection has changed since it was opened.
    var totalChanges: Int64 { sqlite3_total_changes64(handle) }

    func commit() throws(SQLFailure) { try statement("COMMIT").run() }

    /// Rolls back, unless an error has already ended the transaction.
    func rollback() {
        guard sqlite3_get_autocommit(handle) == 0 else { return }
        // If the rollback fails now, it happens when the connection next begins, or closes.
        _ = try? statement("ROLLBACK").run()
    }

    /// The memory that the page cache uses, in bytes.
    var cacheBytes: CInt {
        var (used, highest) = (CInt(0), CInt(0))
        sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0)
        return used
    }

    /// The number of pages that the database has in this transaction.
    func pageCount() throws(SQLFailure) -> Int64 { try statement("PRAGMA page_count").number() ?? 0 }

    // MARK: The write-ahead log

    /// Makes SQLite store the log's length in pages at `pages` after each commit; nil stops that. Setting `wal_autocheckpoint` would stop
    /// it too, because SQLite has one WAL hook.
    func noteLogLength(in pages: UnsafeMutablePointer<CInt>?) {
        guard let pages else {
            sqlite3_wal_hook(handle, nil, nil)
            return
        }
        sqlite3_wal_hook(
            handle,
            { context, _, _, length in
                context?.assumingMemoryBound(to: CInt.self).pointee = length
                return SQLITE_OK
            }, pages)
    }
}

/// What Ctrl-Z must not interrupt: a process that is stopped within a transaction keeps the write lock from all others.
///
/// SIGSTOP cannot be caught; see ``WriteLockHolder``.
package enum Unstoppable {
    /// Makes Ctrl-Z (SIGTSTP) wait for the end of transactions from now on. For programs, which decide about their signals.
    package static func deferStops() { platform_defer_stops() }

    static func run<T>(_ body: () throws -> T) rethrows -> T {
        platform_begin_unstoppable()
        defer { platform_end_unstoppable() }
        return try body()
    }
}
