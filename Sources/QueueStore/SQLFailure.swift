import GRDBSQLite

/// What SQLite said of a statement.
struct SQLFailure: Error {
    /// A block of vectors is not what it should be.
    static let damagedBlock = SQLFailure(SQLITE_CORRUPT, "a block of vectors is missing or too short")

    /// The extended result code.
    let code: CInt
    /// SQLite's own words.
    let message: String

    init(_ code: CInt, _ connection: OpaquePointer) {
        let extended = sqlite3_extended_errcode(connection)
        self.code = extended & 0xFF == code & 0xFF ? extended : code
        message = String(cString: sqlite3_errmsg(connection))
    }

    /// What is wrong, where SQLite does not say.
    init(_ code: CInt, _ message: String) {
        self.code = code
        self.message = message
    }
}
