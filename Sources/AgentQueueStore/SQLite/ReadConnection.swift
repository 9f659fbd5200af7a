import GRDB

/// A connection that reads one snapshot, for as long as ``QueueStore/read(_:)`` runs its body. Confined to that thread.
struct ReadConnection {
    let database: Database
    private let handle: OpaquePointer

    init(_ database: Database) throws(SQLFailure) {
        guard let handle = database.sqliteConnection else { throw .closed }
        self.database = database
        self.handle = handle
    }

    /// The prepared statement of a literal. The connection keeps it.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement { try kept(sql.description) }

    /// The prepared statement of a text that was put together once. The connection keeps it.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement { try kept(sql.text) }

    /// A statement that is put together at run time, with its values bound; not kept.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try Statement(sql, on: handle) }

    /// Reads parts of a column's blobs.
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
