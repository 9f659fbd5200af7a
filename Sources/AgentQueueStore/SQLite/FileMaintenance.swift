import GRDBSQLite

/// The SQLite library that this process uses.
enum SQLiteLibrary {
    /// For example `3.51.3`.
    static var version: String { String(cString: sqlite3_libversion()) }
    /// For example 3,051,003.
    static var number: CInt { sqlite3_libversion_number() }
}

extension ReadConnection {
    /// The number of pages of the database file, how many of them are free, and their size in bytes.
    func pages() throws(SQLFailure) -> (count: Int64, free: Int64, size: Int64) {
        let size = try statement("PRAGMA page_size").number() ?? 4_096
        return (try statement("PRAGMA page_count").number() ?? 0, try statement("PRAGMA freelist_count").number() ?? 0, size)
    }

    /// The faults that SQLite itself finds in the file: in pages, in indexes, and references to missing rows. At most 20 of each.
    func fileFaults() throws(SQLFailure) -> [String] {
        let integrity = try statement("PRAGMA integrity_check(20)").all { $0.text(0) }
        var references: [String] = []
        try statement("PRAGMA foreign_key_check").readRows { row in
            references.append("a row of \(row.text(0)) names a \(row.text(2)) that does not exist")
            return references.count < 20
        }
        return integrity.filter { $0 != "ok" }.map { "integrity: \($0)" } + references
    }
}

extension WriteTransaction {
    /// Returns up to `pages` free pages to the file system. Returns how many.
    func shrink(pages: Int) throws -> Int64 {
        let before = try statement("PRAGMA freelist_count").number() ?? 0
        guard before > 0 else { return 0 }
        // Each step of this statement frees one page.
        try statement(building: "PRAGMA incremental_vacuum(\(pages))").eachRow { _ in }
        let after = try statement("PRAGMA freelist_count").number() ?? 0
        return before - after
    }
}

extension Statement {
    /// A column's value formatted for people: texts are quoted.
    func shown(_ column: CInt) -> String {
        if isNull(column) { return "NULL" }
        return isText(column) ? String(reflecting: text(column)) : text(column)
    }
}
