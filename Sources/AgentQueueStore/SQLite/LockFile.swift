import AgentQueueModel
import CAgentQueue
import Glibc
import Synchronization

/// The lock file next to a database, which shows who uses it, which workers are alive, and whose calls have begun.
///
/// It uses POSIX record locks, because the kernel releases them the moment their process ends, for whatever reason, and child processes do
/// not inherit them. Byte 0 is locked shared by every process that uses the database; byte `n` exclusively by worker `n`.
///
/// Two pitfalls of these locks shape this type. Closing *any* descriptor of a file drops all locks that the process holds on it, so there
/// is one descriptor per file (not per path: a file can have many) and process, kept by ``shared(at:)`` and never closed. And the kernel
/// reports a process's own locks as free to that process, so this type remembers them.
///
/// After the bytes, each worker has a region in which it records the jobs whose calls have begun, with plain stores into shared memory,
/// which survive a `kill -9`. Rescue reads there which attempts count.
package final class LockFile: Sendable {
    private static let registry = Mutex<[FileIdentity: LockFile]>([:])

    private let descriptor: Int32
    private let path: String
    private let own = Mutex(Own())

    private struct Own {
        var workers: Set<Int64> = []
        var uses = 0
        var isReplacing = false
        var isClosing = false
    }

    /// Locked, beside byte 0, by a process that replaces the database. No worker's id is as high.
    static let restoreByte: Int64 = 1 << 40
    private static let regionOffset: Int64 = 4_096
    private static let regionWords = 2_048
    private static let regions: Int64 = 256

    /// The lock file of a path; one per process, opened on first use and kept until the process ends.
    /// - Parameter isReadOnly: whether nothing may be written there. Without a file, nobody else uses the database.
    static func shared(at path: String, isReadOnly: Bool = false) throws(StoreError) -> LockFile {
        let result: Result<LockFile, StoreError> = registry.withLock { files in
            var status = stat()
            if lstat(path, &status) == 0, let file = files[FileIdentity(status)] { return .success(file) }
            return Result { () throws(StoreError) in
                let descriptor =
                    !isReadOnly
                    ? try PrivateFile.open(path, flags: O_RDWR | O_CREAT)
                    : FileIdentity(path: path) == nil
                        ? Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) : try PrivateFile.open(path, flags: O_RDONLY)
                let file = LockFile(descriptor: descriptor, path: path)
                guard fstat(file.descriptor, &status) == 0 else { throw PrivateFile.failure(path, errno) }
                files[FileIdentity(status)] = file
                return file
            }
        }
        return try result.get()
    }

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    // MARK: The database's users

    /// Marks this process as a user of the database. Waits while the last of its users closes it; refused while another process restores
    /// it.
    func beginUse() throws(StoreError) {
        var tries = 0
        while true {
            let (isDone, isReplacing) = own.withLock { own in
                guard !own.isReplacing, !own.isClosing else { return (false, own.isReplacing) }
                guard own.uses > 0 || platform_lock_byte(descriptor, 0, false) == 0 else { return (false, isBeingRestored) }
                own.uses += 1
                return (true, false)
            }
            if isDone { return }
            guard !isReplacing, BusyHandler.wait(tries) else { throw Self.restoring(path) }
            tries += 1
        }
    }

    /// Ends one use.
    func endUse() {
        own.withLock { own in
            own.uses -= 1
            own.isClosing = false
            if own.uses == 0 { platform_unlock_byte(descriptor, 0) }
        }
    }

    /// Begins a use again, after the last one of this process has ended, if no other process uses the database. Others wait until
    /// ``endUse()``.
    func beginClosing() -> Bool {
        own.withLock { own in
            guard own.uses == 0, !own.isReplacing, platform_lock_byte(descriptor, 0, true) == 0 else { return false }
            own.uses = 1
            own.isClosing = true
            return true
        }
    }

    /// Whether any process uses the database.
    var isUsed: Bool { own.withLock { $0.uses > 0 } || platform_lock_holder(descriptor, 0) != 0 }

    /// Whether another process replaces the database with a backup.
    var isBeingRestored: Bool { platform_lock_holder(descriptor, Self.restoreByte) > 0 }

    static func restoring(_ path: String) -> StoreError {
        StoreError(.busy, "\(path): the database is being restored by another process; try again")
    }

    /// Runs `body` while no process, including this one, uses the database.
    /// - Throws: `StoreError`; `busy` if a process uses it.
    func whileUnused<T>(_ body: () throws -> T) throws -> T {
        let isFree = own.withLock { own in
            own.isReplacing = own.uses == 0 && !own.isReplacing && platform_lock_byte(descriptor, 0, true) == 0
            if own.isReplacing { _ = platform_lock_byte(descriptor, Self.restoreByte, true) }
            return own.isReplacing
        }
        guard isFree else {
            throw StoreError(.busy, "the database is in use: stop the workers and other commands first")
        }
        defer {
            own.withLock { own in
                own.isReplacing = false
                platform_unlock_byte(descriptor, Self.restoreByte)
                platform_unlock_byte(descriptor, 0)
            }
        }
        return try body()
    }

    // MARK: Workers

    /// Locks a worker's byte for as long as this process lives, or until ``unlock(worker:)``.
    func lock(worker id: Int64) throws(StoreError) {
        let code = own.withLock { own -> Int32 in
            let code = platform_lock_byte(descriptor, id, true)
            if code == 0 { own.workers.insert(id) }
            return code
        }
        guard code == 0 else { throw StoreError(.internal, "\(path): worker \(id) is locked by another process") }
    }

    /// Releases a worker's byte after an orderly shutdown.
    func unlock(worker id: Int64) {
        own.withLock { own in
            own.workers.remove(id)
            platform_unlock_byte(descriptor, id)
        }
    }

    /// The workers of this process.
    package var ownWorkers: Set<Int64> { own.withLock(\.workers) }

    /// Whether a worker's process is alive. A stopped (SIGSTOP) process is alive.
    package func isAlive(worker id: Int64) -> Bool {
        let isOwn = own.withLock { $0.workers.contains(id) }
        // An error does not prove that the worker is dead; the lease decides then.
        return isOwn || platform_lock_holder(descriptor, id) != 0
    }

    // MARK: Calls that have begun

    /// The region in which a worker records its calls; nil if another living worker occupies it.
    func calls(of worker: Int64) -> CallRegion? {
        let offset = Self.offset(of: worker)
        let length = Self.regionWords * 8
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        // Allocate the pages now: a store to a page that a full disk cannot back would kill the process (SIGBUS).
        guard posix_fallocate(descriptor, off_t(offset), off_t(length)) == 0 else { return nil }
        guard let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(offset)), memory != MAP_FAILED
        else { return nil }
        let words = memory.bindMemory(to: Int64.self, capacity: Self.regionWords)
        if words[0] != 0, words[0] != worker, isAlive(worker: words[0]) {
            munmap(memory, length)
            return nil
        }
        return CallRegion(words: words, count: Self.regionWords, worker: worker)
    }

    /// The jobs whose calls a worker had begun as of its last record, and, as negative numbers, the lease tokens of the shared calls it
    /// had begun; nil if unknown.
    func begunCalls(of worker: Int64) -> Set<Int64>? {
        region(of: worker).map { Set($0[1..<CallRegion.firstChild(of: $0.count)].filter { $0 != 0 }) }
    }

    /// The child processes that a worker ran for its calls as of its last record.
    func children(of worker: Int64) -> [ChildProcessRegister.Child] {
        guard let words = region(of: worker) else { return [] }
        return stride(from: CallRegion.firstChild(of: words.count), to: words.count, by: 2).compactMap { place in
            guard let pid = Int32(exactly: words[place + 1]), pid > 1 else { return nil }
            return ChildProcessRegister.Child(pid: pid, startTime: UInt64(bitPattern: words[place]))
        }
    }

    /// The contents of a worker's region; nil if it now belongs to another worker.
    private func region(of worker: Int64) -> [Int64]? {
        var words = [Int64](repeating: 0, count: Self.regionWords)
        let read = words.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(Self.offset(of: worker))) }
        return read == Self.regionWords * 8 && words[0] == worker ? words : nil
    }

    private static func offset(of worker: Int64) -> Int64 { regionOffset + worker % regions * Int64(regionWords * 8) }
}
