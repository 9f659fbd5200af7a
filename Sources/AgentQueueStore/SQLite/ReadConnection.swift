import GRDB

/// A connection that reads one snapshot while ``QueueStore/read(_:)`` runs its body. Confined to that thread.
struct ReadConnection {
    let database: Database
    private let handle: OpaquePointer

    init(_ database: Database) throws(SQLFailure) {
        guard let handle = database.sqliteConnection else { throw .closed }
        self.database = database
        self.handle = handle
    }

    /// The prepared statement of a literal, cached by the connection.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement { try kept(sql.description) }

    /// The prepared statement of a text composed once, cached by the connection.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement { try kept(sql.text) }

    /// A statement composed at run time, with its values bound; not cached.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try Statement(sql, on: handle) }

    func blobs(table: String, column: String) -> BlobReader { BlobReader(on: handle, table: table, column: column) }

    private func kept(_ sql: String) throws(SQLFailure) -> Statement {
        #if DEBUG
            StatementRecorder.note(sql)
        #endif
        do {
            return Statement(borrowing: try database.cachedStatement(sql: sql).sqliteStatement, on: handle)
        } catch {
            throw SQLFailure(error)
        }
    }
}
