import GRDBSQLite

/// A prepared statement of the writer connection. Hot paths bind and step it directly: no argument arrays, no rows.
///
/// Confined to the thread that holds the connection; not `Sendable`.
final class SQLStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let isOwn: Bool
    private var position: CInt = 0

    /// SQLite copies what is bound: the caller's bytes need not outlive the call.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ sql: String, on connection: OpaquePointer) throws(SQLFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLFailure(code, connection) }
        self.handle = handle
        self.connection = connection
        isOwn = true
    }

    /// A statement that another keeps, for as long as that lives.
    init(borrowing handle: OpaquePointer, on connection: OpaquePointer) {
        self.handle = handle
        self.connection = connection
        isOwn = false
    }

    deinit { if isOwn { sqlite3_finalize(handle) } }

    // MARK: Binding, in the order of the parameters

    @discardableResult func bind(_ value: Int64) -> Self {
        position += 1
        sqlite3_bind_int64(handle, position, value)
        return self
    }

    @discardableResult func bind(_ value: Int) -> Self { bind(Int64(value)) }

    @discardableResult func bind(_ value: Bool) -> Self { bind(value ? 1 : 0 as Int64) }

    @discardableResult func bind(_ value: Int64?) -> Self {
        guard let value else { return bindNull() }
        return bind(value)
    }

    @discardableResult func bind(_ value: Double) -> Self {
        position += 1
        sqlite3_bind_double(handle, position, value)
        return self
    }

    @discardableResult func bind(_ value: Double?) -> Self {
        guard let value else { return bindNull() }
        return bind(value)
    }

    @discardableResult func bind(_ value: String) -> Self {
        position += 1
        guard !value.isEmpty else {
            // The buffer of an empty string may have no address, which SQLite would take for NULL.
            sqlite3_bind_text(handle, position, "", 0, Self.transient)
            return self
        }
        var value = value
        value.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { text in
                _ = sqlite3_bind_text64(
                    handle, position, text.baseAddress, UInt64(text.count), Self.transient, UInt8(SQLITE_UTF8))
            }
        }
        return self
    }

    @discardableResult func bind(_ value: String?) -> Self {
        guard let value else { return bindNull() }
        return bind(value)
    }

    @discardableResult func bind(_ value: [UInt8]) -> Self {
        position += 1
        value.withUnsafeBytes { bytes in
            _ = sqlite3_bind_blob64(handle, position, bytes.baseAddress, UInt64(bytes.count), Self.transient)
        }
        return self
    }

    @discardableResult func bindNull() -> Self {
        position += 1
        sqlite3_bind_null(handle, position)
        return self
    }

    // MARK: Running

    /// Runs a statement that yields no rows, and returns how many rows it changed.
    @discardableResult func run() throws(SQLFailure) -> Int {
        let code = sqlite3_step(handle)
        let changes = Int(sqlite3_changes(connection))
        try finish(code, expecting: SQLITE_DONE)
        return changes
    }

    /// Calls `body` for every row; the columns are read from this statement.
    func eachRow(_ body: (SQLStatement) -> Void) throws(SQLFailure) {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            body(self)
        }
    }

    /// Calls `body` for every row, and ends with what it throws.
    func forEachRow(_ body: (SQLStatement) throws -> Void) throws {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            do { try body(self) } catch {
                try finish(SQLITE_DONE, expecting: SQLITE_DONE)
                throw error
            }
        }
    }

    /// Calls `body` for one row after the other of a query, until it returns false.
    func readRows(while body: (SQLStatement) -> Bool) throws(SQLFailure) {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            guard body(self) else { return try finish(SQLITE_DONE, expecting: SQLITE_DONE) }
        }
    }

    /// What `body` makes of the first row; nil where there is none.
    func first<T>(_ body: (SQLStatement) -> T) throws(SQLFailure) -> T? {
        let code = sqlite3_step(handle)
        guard code == SQLITE_ROW else {
            try finish(code, expecting: SQLITE_DONE)
            return nil
        }
        let value = body(self)
        // A statement that writes must be stepped to its end, or its RETURNING would leave rows undone.
        let end = sqlite3_step(handle)
        try finish(end == SQLITE_ROW ? SQLITE_DONE : end, expecting: SQLITE_DONE)
        return value
    }

    /// What `body` makes of every row.
    func all<T>(_ body: (SQLStatement) -> T) throws(SQLFailure) -> [T] {
        var values: [T] = []
        try eachRow { values.append(body($0)) }
        return values
    }

    private func finish(_ code: CInt, expecting expected: CInt) throws(SQLFailure) {
        position = 0
        guard code == expected else {
            let failure = SQLFailure(code, connection)
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
            throw failure
        }
        sqlite3_reset(handle)
    }

    // MARK: Columns of the row it stands on

    func int64(_ column: CInt) -> Int64 { sqlite3_column_int64(handle, column) }

    func int(_ column: CInt) -> Int { Int(sqlite3_column_int64(handle, column)) }

    func double(_ column: CInt) -> Double { sqlite3_column_double(handle, column) }

    func isNull(_ column: CInt) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func optionalInt64(_ column: CInt) -> Int64? { isNull(column) ? nil : int64(column) }

    func optionalDouble(_ column: CInt) -> Double? { isNull(column) ? nil : double(column) }

    func text(_ column: CInt) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// A column's text; nil where it is NULL.
    func optionalText(_ column: CInt) -> String? { isNull(column) ? nil : text(column) }

    /// A column's bytes where they lie: valid until the next step.
    func blobBytes(_ column: CInt) -> UnsafeRawBufferPointer {
        guard let bytes = sqlite3_column_blob(handle, column) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func blob(_ column: CInt) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }
}

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
