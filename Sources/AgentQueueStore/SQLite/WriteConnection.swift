import GRDB
import GRDBSQLite

/// A connection that writes, with the statements that it keeps prepared. Confined to one thread, which uses it within ``hold(_:)``.
final class WriteConnection {
    private let database: any DatabaseWriter
    let handle: OpaquePointer
    /// By the address of the SQL, which never changes: as cheap as a lookup can be.
    private var statements: [UnsafeRawPointer: Statement] = [:]

    /// The writing connection of a pool or queue that stays open until ``finalize()``.
    init(of database: any DatabaseWriter) throws(SQLFailure) {
        guard let handle = database.writeWithoutTransaction({ $0.sqliteConnection }) else { throw .closed }
        self.database = database
        self.handle = handle
    }

    /// A connection of its own to a database that is there and migrated; to be closed.
    convenience init(path: String, durability: Durability) throws {
        try self.init(of: DatabaseQueue(path: path, configuration: DatabaseFile.configuration(durability: durability)))
    }

    /// Closes the database that it is of.
    func close() {
        finalize()
        try? database.close()
    }

    /// Runs `body` while no other thread has the connection. A transaction begins and ends within.
    func hold<T>(_ body: () throws -> T) rethrows -> T { try database.writeWithoutTransaction { _ in try body() } }

    // MARK: Statements

    /// The prepared statement of a literal.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement {
        let key = UnsafeRawPointer(sql.utf8Start)
        if let statement = statements[key] { return statement }
        let statement = try Statement(sql.description, on: handle)
        statements[key] = statement
        return statement
    }

    /// The prepared statement of a text that was put together once.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement {
        let key = UnsafeRawPointer(Unmanaged.passUnretained(sql).toOpaque())
        if let statement = statements[key] { return statement }
        let statement = try Statement(sql.text, on: handle)
        statements[key] = statement
        return statement
    }

    /// A statement that is put together at run time, with its values bound; not kept.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try Statement(sql, on: handle) }

    /// Frees the statements, which must be done before the connection closes.
    func finalize() { statements.removeAll() }

    // MARK: Transactions

    /// Begins a transaction that holds the write lock from its start.
    func begin() throws(SQLFailure) { try statement("BEGIN IMMEDIATE").run() }

    func commit() throws(SQLFailure) { try statement("COMMIT").run() }

    /// Undoes what the transaction did, where an error has not ended it already.
    func rollback() {
        guard sqlite3_get_autocommit(handle) == 0 else { return }
        // What cannot be rolled back now is when the connection begins anew, or closes.
        _ = try? statement("ROLLBACK").run()
    }

    // MARK: The write-ahead log

    /// Has SQLite write the log's length after each commit, in pages, where `pages` points; nil ends that. Setting `wal_autocheckpoint`
    /// would end it too.
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
