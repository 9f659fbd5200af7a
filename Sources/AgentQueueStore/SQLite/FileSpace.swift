import AgentQueueModel
import CAgentQueue
import Glibc
import Synchronization

/// Space on the disk for the pages of a database, allocated before they are committed.
///
/// In WAL mode, SQLite extends the database file only in a checkpoint. If the disk is full by then, the checkpoint fails, the log cannot
/// start again from its beginning, and nothing can be written any more: not even the deletions of `prune`. So every commit makes sure
/// first that the file has blocks for all of its pages, and fails if it does not. A checkpoint then needs no space, and a transaction
/// that adds no pages needs only the log, which is reused.
///
/// The blocks lie behind the end of the file (`FALLOC_FL_KEEP_SIZE`), where a checkpoint puts pages. The checkpoint cuts off the rest, so
/// the file's blocks are counted before every commit rather than remembered.
///
/// Closing *any* descriptor of a database drops SQLite's locks on it in this process. So there is one for each file, which is closed only
/// when no store of this process uses the file.
final class FileSpace: Sendable {
    private struct State {
        var uses = 0
        var descriptor: Int32?
        /// Whether the file system can allocate space and counts it.
        var isSupported = true
    }

    private static let registry = Mutex<[String: FileSpace]>([:])

    private let path: String
    private let state = Mutex(State())

    /// How many pages are allocated in advance: 256 KiB.
    private static let advance: Int64 = 64
    /// With less free space than this, nothing is allocated in advance: the log needs it more.
    private static let plenty: UInt = 4 << 20
    /// A file system may count blocks for its own records. So many pages of a file's blocks are not relied on.
    private static let overhead: Int64 = 16
    private static let pageBytes: Int64 = 4_096

    private init(_ path: String) { self.path = path }

    /// Begins the use of a database, whose folder must exist: before its first connection opens.
    static func begin(_ path: String) -> FileSpace {
        let path = resolved(path)
        return registry.withLock { registry in
            let space = registry[path] ?? FileSpace(path)
            registry[path] = space
            space.state.withLock { $0.uses += 1 }
            return space
        }
    }

    /// Ends one use: after its last connection has closed.
    func end() {
        Self.registry.withLock { registry in
            let isUnused = state.withLock { state in
                state.uses -= 1
                guard state.uses == 0 else { return false }
                if let descriptor = state.descriptor { close(descriptor) }
                state.descriptor = nil
                return true
            }
            if isUnused { registry[path] = nil }
        }
    }

    /// Makes sure that the file has blocks for a number of pages.
    /// - Throws: `StoreError`, kind `full`, if the disk has none left.
    func allocate(pages: Int64) throws(StoreError) {
        let code = state.withLock { state -> Int32 in
            guard state.isSupported, let descriptor = state.descriptor ?? Self.open(path) else {
                state.isSupported = false
                return 0
            }
            state.descriptor = descriptor
            if Self.allocated(descriptor) >= (pages + Self.overhead) * Self.pageBytes { return 0 }
            let advance = Self.hasPlenty(descriptor) ? Self.overhead + Self.advance : 0
            let code = platform_allocate(descriptor, (pages + advance) * Self.pageBytes)
            if Self.isFull(code) { return code }
            // A compressing file system counts fewer blocks than it was asked for; there, this would be repeated for every commit.
            if code != 0 || Self.allocated(descriptor) < pages * Self.pageBytes { state.isSupported = false }
            return 0
        }
        if code != 0 { throw PrivateFile.failure(path, code) }
    }

    /// The one path of a file whose folder may have several. (A database itself is never opened through a link.)
    private static func resolved(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), let folder = realpath(String(path[...slash]), nil) else { return path }
        defer { free(folder) }
        return String(cString: folder) + path[slash...]
    }

    /// Nil where the file cannot be opened for writing; SQLite then says why.
    private static func open(_ path: String) -> Int32? {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        return descriptor >= 0 ? descriptor : nil
    }

    private static func hasPlenty(_ descriptor: Int32) -> Bool {
        var status = statvfs()
        // Where this is unknown, only what is needed is allocated.
        return fstatvfs(descriptor, &status) == 0 && status.f_bavail * status.f_frsize >= plenty
    }

    private static func isFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

    /// The bytes of the file's blocks.
    private static func allocated(_ descriptor: Int32) -> Int64 {
        var status = stat()
        // If this fails, the file seems empty: the space is allocated again, which changes nothing.
        guard fstat(descriptor, &status) == 0 else { return 0 }
        return Int64(status.st_blocks) * 512
    }
}
