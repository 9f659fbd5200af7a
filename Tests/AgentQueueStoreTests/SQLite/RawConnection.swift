import GRDBSQLite

/// A connection past the store, as of the `sqlite3` program: to look, and to plant faults.
final class RawConnection {
    struct Failure: Error { var message: String }

    private let handle: OpaquePointer

    init(_ path: String, create: Bool = false) throws {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0)
        guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle else { throw Failure(message: "cannot open \(path)") }
        self.handle = handle
        sqlite3_busy_timeout(handle, 10_000)
        try run("PRAGMA wal_autocheckpoint = 0")
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs statements, ignoring their rows.
    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw Failure(message: String(cString: sqlite3_errmsg(handle))) }
    }

    /// The rows of one statement, as texts.
    func rows(_ sql: String) throws -> [[String]] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
            throw Failure(message: String(cString: sqlite3_errmsg(handle)))
        }
        defer { sqlite3_finalize(statement) }
        var rows: [[String]] = []
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw Failure(message: String(cString: sqlite3_errmsg(handle))) }
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "NULL"
                })
        }
    }

    /// The first column of the first row.
    func value(_ sql: String) throws -> String? { try rows(sql).first?.first }

    func int(_ sql: String) throws -> Int64? { try value(sql).flatMap(Int64.init) }
}

/// What a connection has prepared.
enum PreparedStatements {
    static func texts(_ connection: OpaquePointer) -> [String] {
        var texts: [String] = []
        var statement = sqlite3_next_stmt(connection, nil)
        while let handle = statement {
            if let text = sqlite3_sql(handle) { texts.append(String(cString: text)) }
            statement = sqlite3_next_stmt(connection, handle)
        }
        return texts
    }
}
