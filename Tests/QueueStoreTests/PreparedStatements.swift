import GRDBSQLite

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
