import GRDB

/// Why the store could not do what was asked: one sentence, with what to do about it. Holds no prompt and no value.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of trouble.
    package enum Kind: String, Sendable {
        /// The file is another program's database, or no database.
        case notOurs
        /// The file was written by a later version.
        case newerSchema
        /// An applied migration is not the one this program knows.
        case alteredSchema
        /// The file is damaged.
        case corrupt
        /// The disk is full.
        case full
        /// Reading or writing failed.
        case io
        /// The file may not be read or written.
        case permission
        /// Other processes kept the file locked.
        case busy
        /// What was asked contradicts what is stored.
        case conflict
        /// What was named does not exist.
        case notFound
        /// The store is closed.
        case closed
        /// A defect.
        case `internal`
    }

    /// What kind of trouble.
    package let kind: Kind
    /// One sentence.
    package let message: String

    /// Makes an error.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message, as users see it.
    package var description: String { message }

    /// What a program ends with: 65 bad data, 69 unavailable, 70 internal, 74 I/O, 77 permission.
    package var exitCode: Int32 {
        switch kind {
        case .notOurs, .corrupt, .conflict, .notFound: 65
        case .newerSchema, .alteredSchema, .busy, .closed: 69
        case .full, .io: 74
        case .permission: 77
        case .internal: 70
        }
    }

    /// Translates what SQLite says about a file.
    static func from(_ error: any Error, path: String) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return StoreError(.internal, "\(error)") }
        return from(code: error.extendedResultCode.rawValue, message: error.message ?? "", path: path)
    }

    /// Translates an SQLite result code.
    static func from(code: CInt, message: String, path: String) -> StoreError {
        switch ResultCode(rawValue: code & 0xFF) {
        case .SQLITE_FULL:
            StoreError(.full, "\(path): the disk is full; nothing was changed. Free some space (agent-queue prune helps) and try again")
        case .SQLITE_IOERR:
            StoreError(.io, "\(path): reading or writing the database failed (\(message)); check the disk")
        case .SQLITE_CORRUPT:
            StoreError(.corrupt, "\(path): the database is damaged (\(message)); restore a backup with 'agent-queue database restore'")
        case .SQLITE_NOTADB:
            StoreError(.notOurs, "\(path): not an agent-queue database; name another file with --database")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            StoreError(.permission, "\(path): the database may not be written; check who owns the file and its folder")
        case .SQLITE_CANTOPEN:
            StoreError(.permission, "\(path): the database cannot be opened; check that its folder exists and who owns it")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            StoreError(.busy, "\(path): other processes kept the database locked for too long; try again")
        case .SQLITE_MISUSE:
            StoreError(.closed, "\(path): the database is closed")
        case .SQLITE_TOOBIG:
            StoreError(.conflict, "a value is larger than the database allows")
        default:
            StoreError(.internal, "\(path): the database refused a statement (\(code): \(message))")
        }
    }
}
