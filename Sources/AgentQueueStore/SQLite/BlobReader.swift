import GRDBSQLite

/// Reads parts of the blobs of one column, row after row, without reading the rest of them. Must be closed before its transaction ends.
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

    /// Fills a buffer from the row's blob, starting at an offset.
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
        // SQLITE_ERROR means a missing row or a blob that is too short. For us that is damage.
        let failure = code == SQLITE_ERROR ? SQLFailure.damagedBlock : SQLFailure(code, connection)
        close()
        return failure
    }

    /// Releases the blob handle.
    func close() {
        sqlite3_blob_close(handle)
        handle = nil
        row = nil
    }

    deinit { close() }
}
