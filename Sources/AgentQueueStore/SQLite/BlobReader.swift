import GRDBSQLite

/// Reads parts of blobs of one column, row after row, without reading the rest of them. To be closed before its transaction ends.
final class BlobReader {
    private let connection: OpaquePointer
    private let table: String
    private let column: String
    private var handle: OpaquePointer?
    private var row: Int64?

    init(on connection: OpaquePointer, table: String, column: String) {
        self.connection = connection
        self.table = table
        self.column = column
    }

    /// Fills a buffer from an offset of a row's blob.
    func read(row wanted: Int64, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SQLFailure) {
        if row != wanted {
            let code =
                handle == nil
                ? sqlite3_blob_open(connection, "main", table, column, wanted, 0, &handle) : sqlite3_blob_reopen(handle, wanted)
            row = wanted
            guard code == SQLITE_OK else { throw fail(code) }
        }
        let code = sqlite3_blob_read(handle, buffer.baseAddress, CInt(buffer.count), CInt(offset))
        guard code == SQLITE_OK else { throw fail(code) }
    }

    private func fail(_ code: CInt) -> SQLFailure {
        // What is not there, or too short, is damage: SQLite says no more than that the statement is wrong.
        let failure = code == SQLITE_ERROR ? SQLFailure.damagedBlock : SQLFailure(code, connection)
        close()
        return failure
    }

    /// Lets go of the row it stands on.
    func close() {
        sqlite3_blob_close(handle)
        handle = nil
        row = nil
    }

    deinit { close() }
}
