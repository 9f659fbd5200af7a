import GRDB
import GRDBSQLite

/// A prepared statement of a read or write connection. Bind its parameters in order, run it once, and read columns by position; then it
/// can be bound again.
///
/// Confined to the thread that holds the connection; not `Sendable`.
// Of two methods that differ by whether their body throws, the compiler finds the one that is meant.
// swift-format-ignore: AmbiguousTrailingClosureOverload
final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let isOwn: Bool
    private var position: CInt = 0

    /// SQLite copies bound values, so the caller's bytes need not outlive the call.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ sql: String, on connection: OpaquePointer) throws(SQLFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLFailure(code, connection) }
        self.handle = handle
        self.connection = connection
        isOwn = true
        #if DEBUG
            StatementRecorder.note(sql)
        #endif
    }

    /// Wraps a handle that someone else owns and keeps alive.
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

    @discardableResult func bind(_ value: Int?) -> Self { bind(value.map(Int64.init)) }

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
            // The buffer of an empty string may have no address, which SQLite would treat as NULL.
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

    @discardableResult func bind(_ value: [UInt8]?) -> Self {
        guard let value else { return bindNull() }
        return bind(value)
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

    /// Runs an INSERT of one row and returns the row's id; nil if a conflict prevented the insert. The SQL has no RETURNING, for which
    /// SQLite would create a table on every run.
    func insertedID() throws(SQLFailure) -> Int64? {
        try run() == 1 ? sqlite3_last_insert_rowid(connection) : nil
    }

    /// Calls `body` for every row. Read the columns from the statement.
    func eachRow(_ body: (Statement) -> Void) throws(SQLFailure) {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            body(self)
        }
    }

    /// Calls `body` for every row, and rethrows its first error.
    func eachRow(_ body: (Statement) throws -> Void) throws {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            do { try body(self) } catch {
                try finish(SQLITE_DONE, expecting: SQLITE_DONE)
                throw error
            }
        }
    }

    /// Calls `body` for each row until it returns false.
    func readRows(while body: (Statement) -> Bool) throws(SQLFailure) {
        while true {
            let code = sqlite3_step(handle)
            guard code == SQLITE_ROW else { return try finish(code, expecting: SQLITE_DONE) }
            guard body(self) else { return try finish(SQLITE_DONE, expecting: SQLITE_DONE) }
        }
    }

    /// Maps the first row; nil if there is none.
    func first<T>(_ body: (Statement) -> T) throws(SQLFailure) -> T? {
        let code = sqlite3_step(handle)
        guard code == SQLITE_ROW else {
            try finish(code, expecting: SQLITE_DONE)
            return nil
        }
        let value = body(self)
        try finishFirst()
        return value
    }

    /// Maps the first row, rethrowing what `body` throws; nil if there is none.
    func first<T>(_ body: (Statement) throws -> T) throws -> T? {
        let code = sqlite3_step(handle)
        guard code == SQLITE_ROW else {
            try finish(code, expecting: SQLITE_DONE)
            return nil
        }
        let value = Result { try body(self) }
        try finishFirst()
        return try value.get()
    }

    /// Maps every row.
    func all<T>(_ body: (Statement) -> T) throws(SQLFailure) -> [T] {
        var values: [T] = []
        try eachRow { row in values.append(body(row)) }
        return values
    }

    /// Maps every row, rethrowing the first error.
    func all<T>(_ body: (Statement) throws -> T) throws -> [T] {
        var values: [T] = []
        try eachRow { row in values.append(try body(row)) }
        return values
    }

    /// The number that a statement yields, such as the id returned by an INSERT; nil if it yields no row.
    func number() throws(SQLFailure) -> Int64? { try first { $0.int64(0) } }

    /// Whether the query has a row.
    func exists() throws(SQLFailure) -> Bool { try first { _ in true } ?? false }

    private func finishFirst() throws(SQLFailure) {
        // A writing statement must be stepped to its end, or it would stop after the first row of its RETURNING.
        let end = sqlite3_step(handle)
        try finish(end == SQLITE_ROW ? SQLITE_DONE : end, expecting: SQLITE_DONE)
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

    /// A column that holds 0 or 1, or a condition.
    func bool(_ column: CInt) -> Bool { sqlite3_column_int64(handle, column) != 0 }

    func optionalInt64(_ column: CInt) -> Int64? { isNull(column) ? nil : int64(column) }

    func optionalDouble(_ column: CInt) -> Double? { isNull(column) ? nil : double(column) }

    func text(_ column: CInt) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// A column's text; nil if it is NULL.
    func optionalText(_ column: CInt) -> String? { isNull(column) ? nil : text(column) }

    /// A column's bytes in place, without a copy; valid until the next step.
    func blobBytes(_ column: CInt) -> UnsafeRawBufferPointer {
        guard let bytes = sqlite3_column_blob(handle, column) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func blob(_ column: CInt) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func optionalBlob(_ column: CInt) -> [UInt8]? { isNull(column) ? nil : blob(column) }

    // MARK: Columns that the query decides about

    var columnCount: CInt { sqlite3_column_count(handle) }

    func isText(_ column: CInt) -> Bool { sqlite3_column_type(handle, column) == SQLITE_TEXT }

    func name(of column: CInt) -> String { sqlite3_column_name(handle, column).map { String(cString: $0) } ?? "" }
}

/// SQL composed once from literals, such as a query that shares its columns with others. Keep it in a `static let`: a connection
/// identifies it by its address.
final class SQLText: Sendable {
    let text: String

    init(_ text: String) { self.text = text }
}

/// An error that SQLite reports for a statement.
struct SQLFailure: Error {
    static let damagedBlock = SQLFailure(SQLITE_CORRUPT, "a block of vectors is missing or too short")

    static let closed = SQLFailure(SQLITE_MISUSE, "the database is closed")

    /// The extended result code.
    let code: CInt
    /// SQLite's own message.
    let message: String

    init(_ code: CInt, _ connection: OpaquePointer) {
        let extended = sqlite3_extended_errcode(connection)
        self.code = extended & 0xFF == code & 0xFF ? extended : code
        message = String(cString: sqlite3_errmsg(connection))
    }

    /// An error with a message of our own, where SQLite gives none.
    init(_ code: CInt, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Converts GRDB's error for a statement that cannot be prepared.
    init(_ error: any Error) {
        let known = error as? DatabaseError
        code = known?.extendedResultCode.rawValue ?? SQLITE_ERROR
        message = known?.message ?? "\(error)"
    }
}
