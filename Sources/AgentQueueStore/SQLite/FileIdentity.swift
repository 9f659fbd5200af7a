import Glibc

/// Which file it is, whatever it is called: an open file keeps its identity when it is deleted or renamed, and a file made in its place
/// gets another.
package struct FileIdentity: Hashable, Sendable {
    private var device: UInt64
    private var node: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        node = UInt64(status.st_ino)
    }

    /// The file at a path, without following a symbolic link; nil if there is none, or it cannot be told.
    package init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The file behind a descriptor; nil if it cannot be told.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Whether this file is still the one at a path.
    package func presence(at path: String) -> FilePresence {
        var status = stat()
        guard lstat(path, &status) == 0 else { return errno == ENOENT || errno == ENOTDIR ? .missing : .unknown }
        return FileIdentity(status) == self ? .same : .replaced
    }
}

/// What is found at the path of a file that this process has open.
package enum FilePresence: Sendable {
    /// The file itself.
    case same
    /// Another file: this one was deleted, moved or copied over.
    case replaced
    /// Nothing: this file was deleted or moved.
    case missing
    /// The path cannot be read at the moment, which says nothing about the file.
    case unknown
}
