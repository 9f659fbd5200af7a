import Glibc

/// What is asked of the database's file before the store sees it.
enum DatabaseFileCheck {
    /// - Throws: `CommandFailure` where there is none, for commands that would be wrong to make one.
    static func requireFile(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) != 0, errno == ENOENT || errno == ENOTDIR else { return }
        throw CommandFailure(
            .unavailable, "\(path): there is no database yet; 'agent-queue enqueue' makes one, or name another with --database")
    }
}
