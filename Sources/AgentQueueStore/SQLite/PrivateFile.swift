import AgentQueueModel
import Glibc

/// Files and folders that hold prompts and answers, accessible to their owner only.
enum PrivateFile {
    /// Opens a file, created with mode 0600. Refuses symbolic links and files of other users.
    static func open(_ path: String, flags: Int32) throws(StoreError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        do {
            try check(descriptor, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Creates the folder that contains a file, with its parents, all with mode 0700.
    static func makeFolder(of path: String) throws(StoreError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        var status = stat()
        if stat(folder, &status) == 0 { return }
        try makeFolder(of: folder)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw failure(folder, errno) }
    }

    /// Checks that the file SQLite is about to open is a regular file of ours. Returns false if it does not exist yet.
    static func inspect(_ path: String) throws(StoreError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw failure(path, errno)
        }
        try check(status, path: path)
        return true
    }

    /// The length of a file in bytes.
    static func length(of path: String) throws(StoreError) -> Int64 {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw failure(path, errno) }
        return Int64(status.st_size)
    }

    private static func check(_ descriptor: Int32, path: String) throws(StoreError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, errno) }
        try check(status, path: path)
    }

    private static func check(_ status: stat, path: String) throws(StoreError) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreError(.permission, "\(path): not a plain file; a database is never opened through a symbolic link")
        }
        guard status.st_uid == geteuid() else {
            throw StoreError(.permission, "\(path): belongs to another user; run as its owner")
        }
        // Under another name it would have another log and other locks.
        guard status.st_nlink <= 1 else {
            throw StoreError(.permission, "\(path): has \(status.st_nlink) names (hard links); remove all but one")
        }
    }

    /// Describes an error of the file system.
    static func failure(_ path: String, _ code: Int32) -> StoreError {
        switch code {
        case EACCES, EPERM, EROFS: StoreError(.permission, "\(path): may not be read or written; check who owns it and its folder")
        case ELOOP: StoreError(.permission, "\(path): a symbolic link; name the file itself")
        case ENOSPC, EDQUOT: StoreError(.full, "\(path): the disk is full; free some space and try again")
        case ENOENT, ENOTDIR: StoreError(.permission, "\(path): its folder does not exist")
        default: StoreError(.io, "\(path): \(String(cString: strerror(code)))")
        }
    }
}
