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
/// The blocks lie behind the end of the file (`FALLOC_FL_KEEP_SIZE`), where a checkpoint puts pages. The checkpoint cuts off the rest.
/// Counting a database's pages takes SQLite 7,700 instructions, so space is allocated well in advance, and the pages are counted again only
/// if the file's blocks have changed, the log has grown by a good part of the advance, or the transaction is large. Only on a disk that has
/// no room for the advance are they counted before every commit.
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

    /// The pages that the log may grow by before the database's pages are counted again.
    private static let logGrowth: CInt = 512
    /// The most memory of the page cache, in bytes, with which the pages of one transaction need not be counted. The cache holds all of
    /// them, beside up to 8 MiB of others.
    private static let smallCache: CInt = 9 << 20
    /// How many pages are allocated in advance: what the log, and one more transaction, may add to the database without a count. 11 MiB.
    private static let advance = Int64(logGrowth) + Int64(smallCache) / pageBytes
    /// With less free space than this, nothing is allocated in advance: the log needs it more.
    private static let plenty: UInt = 256 << 20
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

    /// What a writer remembers of the last time that it counted pages.
    struct Count {
        /// The file's blocks in bytes then; nil if the advance did not fit.
        fileprivate var allocated: Int64?
        fileprivate var logPages: CInt = 0
    }

    /// Makes sure that the file has blocks for all pages that the database has in the current transaction.
    /// - Parameters:
    ///   - logPages: the length of the log after the connection's last commit.
    ///   - last: the writer's last count.
    /// - Throws: `StoreError`, kind `full`, if the disk has no room for them; `SQLFailure`.
    func allocate(for connection: WriteConnection, logPages: CInt, _ last: inout Count) throws {
        guard let descriptor = usableDescriptor() else { return }
        let allocated = Self.allocated(descriptor)
        if allocated == last.allocated, logPages >= last.logPages, logPages - last.logPages <= Self.logGrowth,
            connection.cacheBytes <= Self.smallCache
        {
            return
        }
        let pages = try connection.pageCount()
        let wanted = (pages + Self.advance) * Self.pageBytes
        if allocated < wanted {
            let bytes = Self.hasPlenty(descriptor) ? wanted : pages * Self.pageBytes
            let code = platform_allocate(descriptor, bytes)
            if code == ENOSPC || code == EDQUOT { throw PrivateFile.failure(path, code) }
            // A compressing file system counts fewer blocks than it was asked for, which would make every commit ask again.
            if code != 0 || Self.allocated(descriptor) < pages * Self.pageBytes { state.withLock { $0.isSupported = false } }
        }
        let present = Self.allocated(descriptor)
        last = Count(allocated: present >= wanted ? present : nil, logPages: logPages)
    }

    /// The file's descriptor; nil if space cannot be allocated. Where the file cannot be opened for writing, SQLite says why.
    private func usableDescriptor() -> Int32? {
        state.withLock { state in
            guard state.isSupported else { return nil }
            if let descriptor = state.descriptor { return descriptor }
            let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else {
                state.isSupported = false
                return nil
            }
            state.descriptor = descriptor
            return descriptor
        }
    }

    /// The one path of a file whose folder may have several. (A database itself is never opened through a link.)
    private static func resolved(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), let folder = realpath(String(path[...slash]), nil) else { return path }
        defer { free(folder) }
        return String(cString: folder) + path[slash...]
    }

    private static func hasPlenty(_ descriptor: Int32) -> Bool {
        var status = statvfs()
        // Where this is unknown, only what is needed is allocated.
        return fstatvfs(descriptor, &status) == 0 && status.f_bavail * status.f_frsize >= plenty
    }

    /// The bytes of the file's blocks.
    private static func allocated(_ descriptor: Int32) -> Int64 {
        var status = stat()
        // If this fails, the file seems empty: the space is allocated again, which changes nothing.
        guard fstat(descriptor, &status) == 0 else { return 0 }
        return Int64(status.st_blocks) * 512
    }
}
