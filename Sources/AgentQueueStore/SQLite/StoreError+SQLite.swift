import AgentQueueModel
import GRDB

extension Error {
    /// Converts this error to a `StoreError`.
    func asStoreError(path: String) -> StoreError {
        if let failure = self as? SQLFailure { return StoreError.from(code: failure.code, message: failure.message, path: path) }
        return StoreError.from(self, path: path)
    }
}

extension StoreError {
    /// Translates an error of SQLite or GRDB about a file.
    static func from(_ error: any Error, path: String) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return StoreError(.internal, "\(error)") }
        return from(code: error.extendedResultCode.rawValue, message: error.message ?? "", path: path)
    }

    private static func busy(_ path: String) -> StoreError {
        guard let holder = WriteLockHolder.current(of: path) else {
            return StoreError(.busy, "\(path): other processes kept the database locked for too long; try again")
        }
        return StoreError(.busy, "\(path): \(holder.description), kept the database locked for too long; \(holder.remedy)")
    }

    /// Translates an SQLite result code.
    static func from(code: CInt, message: String, path: String) -> StoreError {
        // The log's index could not be extended: the disk is full.
        let code = ResultCode(rawValue: code) == .SQLITE_IOERR_SHMSIZE ? ResultCode.SQLITE_FULL.rawValue : code
        return switch ResultCode(rawValue: code & 0xFF) {
        case .SQLITE_FULL:
            StoreError(.full, "\(path): the disk is full; nothing was changed; free some space and try again")
        case .SQLITE_IOERR:
            StoreError(.io, "\(path): reading or writing the database failed (\(message)); check the disk")
        case .SQLITE_CORRUPT:
            StoreError(.corrupt, "\(path): the database is damaged (\(message))")
        case .SQLITE_NOTADB:
            StoreError(.notOurs, "\(path): not an agent-queue database")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            StoreError(.permission, "\(path): the database may not be written; check who owns the file and its folder")
        case .SQLITE_CANTOPEN:
            StoreError(.permission, "\(path): the database cannot be opened; check that its folder exists and who owns it")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            busy(path)
        case .SQLITE_MISUSE:
            StoreError(.closed, "\(path): the database is closed")
        case .SQLITE_TOOBIG:
            StoreError(.conflict, "a value is larger than the database allows")
        default:
            StoreError(.internal, "\(path): the database refused a statement (\(code): \(message))")
        }
    }
}
