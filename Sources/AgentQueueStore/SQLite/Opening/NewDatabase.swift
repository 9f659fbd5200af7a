import AgentQueueModel
import CAgentQueue
import GRDB
import GRDBSQLite
import Glibc

/// Makes a database whole under another name and then puts it in its place, so that no process finds half of one, whatever ends this one.
enum NewDatabase {
    /// Creates a database with the current schema, unless another process is faster.
    static func create(at path: String, now: Int64) throws {
        _ = try place(at: path) { draft in
            try draft.inDatabase { database in
                // The size of a new file is set before its first page is written.
                try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                try database.execute(sql: "PRAGMA application_id = \(DatabaseFile.applicationID)")
                try Migrator.run(database, path: path, applies: true, now: now)
            }
        }
    }

    /// Fills a new file and puts it at `path`.
    /// - Parameter mode: the journal mode that the file is left in.
    /// - Returns: false if there is a file meanwhile, which stays as it is.
    static func place(at path: String, mode: String = "WAL", _ fill: (DatabaseQueue) throws -> Void) throws -> Bool {
        let draft = try makeDraft(path)
        // After a success, these are gone already.
        defer { for suffix in ["", "-wal", "-shm", "-journal"] { unlink(draft + suffix) } }
        let database = try DatabaseQueue(path: draft, configuration: DatabaseFile.configuration(durability: .full))
        // The file is thrown away if anything fails, and waits for the disk once, at the end.
        // It can be large, so it must not be held in memory.
        try database.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_spill = ON") }
        try fill(database)
        try database.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = \(mode)") }
        try DatabaseFile.closeWhole(database)
        try flush(draft)
        return try rename(draft, to: path)
    }

    /// An empty file beside `path` that no other process has.
    private static func makeDraft(_ path: String) throws(StoreError) -> String {
        var name = "\(path).new-XXXXXX".utf8CString.map(\.self)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw PrivateFile.failure(path, errno) }
        close(descriptor)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Waits until the disk has the file. Call only while no connection of this process has it open.
    static func flush(_ path: String) throws(StoreError) {
        let descriptor = try PrivateFile.open(path, flags: O_RDWR)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw PrivateFile.failure(path, errno) }
    }

    /// Renames a file without overwriting another.
    /// - Returns: false if there is one at `path`.
    static func rename(_ file: String, to path: String) throws(StoreError) -> Bool {
        var code = platform_rename_new(file, path)
        // Some file systems cannot rename in this way.
        if code == EINVAL || code == ENOSYS {
            code = link(file, path) == 0 ? 0 : errno
            if code == 0 { unlink(file) }
        }
        guard code == 0 || code == EEXIST else { throw PrivateFile.failure(path, code) }
        return code == 0
    }
}
