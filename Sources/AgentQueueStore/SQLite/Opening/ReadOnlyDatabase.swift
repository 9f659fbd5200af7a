import AgentQueueModel
import Glibc

/// A database that may be read but not written: on a read-only mount, or in a folder of which this process has no right to write.
///
/// SQLite reads a write-ahead log only with its index, `-shm`, which it cannot make there. So a file whose log is gone or empty is opened as
/// *immutable*: without locks, and without looking for a log. Another process may have the right to write, though, through another mount; so
/// what was read counts only if the file is the same afterwards.
struct ReadOnlyDatabase: Sendable {
    private let path: String
    /// What the file was like when it was opened as immutable; nil if it is read with its log.
    private let version: Version?

    private struct Version: Equatable {
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
        var log: Int64
    }

    /// Whether there is a database that this process may not write.
    static func isNeeded(_ path: String) -> Bool {
        guard FileIdentity(path: path) != nil else { return false }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        return [path, folder].contains(where: { (name: String) in access(name, W_OK) != 0 && (errno == EACCES || errno == EROFS) })
    }

    /// - Throws: `StoreError` if the log cannot be read there.
    init(_ path: String, locks: LockFile) throws {
        self.path = path
        let hasIndex = FileIdentity(path: path + "-shm") != nil
        let version = try Self.version(of: path)
        guard version.log == 0 || hasIndex else {
            throw StoreError(
                .permission,
                "\(path): its write-ahead log, \(path)-wal, cannot be read where nothing may be written; copy both to a folder of your own")
        }
        self.version = version.log == 0 && !(hasIndex && locks.isUsed) ? version : nil
    }

    /// What SQLite opens.
    var name: String {
        guard version != nil else { return path }
        let escaped = path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
        return "file:" + escaped + "?immutable=1"
    }

    /// - Throws: `StoreError` if the file has changed since it was opened, so that what was read may be wrong.
    func check() throws {
        guard let version, try Self.version(of: path) != version else { return }
        throw StoreError(.busy, "\(path): another process has written the database while it was read; try again")
    }

    private static func version(of path: String) throws(StoreError) -> Version {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw PrivateFile.failure(path, errno) }
        return Version(
            size: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            log: DatabaseFile.logLength(of: path))
    }
}
