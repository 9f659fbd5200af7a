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
///
/// Someone may delete the file as "a stale lock" while workers run. Each process then locks its bytes anew in the file at the path
/// (``reattach()``, at every safety poll). Until a worker has done so, its byte is free there although it lives. So a free byte proves a
/// death only in the file at the path, and only of a worker that had locked its byte in that file: one whose region is there, or whose
/// number is not below the first that registered there. That number is the file's first word.
package final class LockFile: Sendable {
    private static let registry = Mutex<[FileIdentity: LockFile]>([:])

    private let path: String
    private let state: Mutex<State>

    private struct State {
        var descriptor: Int32
        var identity: FileIdentity
        var workers: Set<Int64> = []
        var regions: [Int64: CallRegion] = [:]
        var uses = 0
        var isReplacing = false
        var isClosing = false
        /// Since when the life of workers has been uncertain (boot clock, ms).
        var uncertain: [Int64: Int64] = [:]
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
            let identity = FileIdentity(path: path)
            if let identity, let file = files[identity] { return .success(file) }
            return Result { () throws(StoreError) in
                // The file may have been deleted since this process opened it.
                let adrift = files.values.first { $0.path == path || (identity != nil && FileIdentity(path: $0.path) == identity) }
                if let adrift, !isReadOnly {
                    try adrift.reattach(&files)
                    return adrift
                }
                let (descriptor, identity) = try open(path, isReadOnly: isReadOnly)
                let file = LockFile(path: path, descriptor, identity)
                files[identity] = file
                return file
            }
        }
        return try result.get()
    }

    private static func open(_ path: String, isReadOnly: Bool = false) throws(StoreError) -> (descriptor: Int32, identity: FileIdentity) {
        let descriptor =
            !isReadOnly
            ? try PrivateFile.open(path, flags: O_RDWR | O_CREAT)
            : FileIdentity(path: path) == nil
                ? Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) : try PrivateFile.open(path, flags: O_RDONLY)
        guard let identity = FileIdentity(descriptor: descriptor) else { throw PrivateFile.failure(path, errno) }
        return (descriptor, identity)
    }

    private init(path: String, _ descriptor: Int32, _ identity: FileIdentity) {
        self.path = path
        state = Mutex(State(descriptor: descriptor, identity: identity))
    }

    // MARK: A file that was deleted or replaced

    /// Locks everything anew, in the file at the path, if that is no longer the one that this process has open. Does nothing if the database
    /// is gone too: a lock file alone would look like the rest of one.
    /// - Returns: whether it was another.
    package func reattach() throws(StoreError) -> Bool {
        guard isAdrift, FileIdentity(path: String(path.dropLast("-lock".count))) != nil else { return false }
        let result: Result<Bool, StoreError> = Self.registry.withLock { files in
            Result { () throws(StoreError) in try reattach(&files) }
        }
        return try result.get()
    }

    /// Whether the file at the path is another, or missing.
    private var isAdrift: Bool {
        switch state.withLock(\.identity).presence(at: path) {
        case .missing, .replaced: true
        case .same, .unknown: false
        }
    }

    @discardableResult
    private func reattach(_ files: inout [FileIdentity: LockFile]) throws(StoreError) -> Bool {
        // Opening a file that this process has open already, under another path, would endanger its locks.
        guard isAdrift, FileIdentity(path: path).flatMap({ files[$0] }) == nil else { return false }
        let (descriptor, identity) = try Self.open(path)
        let (code, former) = state.withLock { state -> (Int32, FileIdentity) in
            var code = state.uses > 0 ? platform_lock_byte(descriptor, 0, false) : 0
            for worker in state.workers where code == 0 { code = platform_lock_byte(descriptor, worker, true) }
            guard code == 0 else { return (code, state.identity) }
            for (worker, region) in state.regions {
                if let memory = Self.memory(of: worker, in: descriptor), memory[0] == 0 { region.move(to: memory) }
            }
            defer {
                // The old descriptor stays open: another thread may be using it.
                state.descriptor = descriptor
                state.identity = identity
            }
            return (0, state.identity)
        }
        guard code == 0 else {
            close(descriptor)
            throw PrivateFile.failure(path, code)
        }
        files[former] = nil
        files[identity] = self
        return true
    }

    // MARK: The database's users

    /// Marks this process as a user of the database. Waits while the last of its users closes it; refused while another process restores
    /// it.
    func beginUse() throws(StoreError) {
        var tries = 0
        while true {
            let (isDone, isReplacing) = state.withLock { state in
                guard !state.isReplacing, !state.isClosing else { return (false, state.isReplacing) }
                guard state.uses > 0 || platform_lock_byte(state.descriptor, 0, false) == 0 else {
                    return (false, platform_lock_holder(state.descriptor, Self.restoreByte) > 0)
                }
                state.uses += 1
                return (true, false)
            }
            if isDone { return }
            guard !isReplacing, BusyHandler.wait(tries) else { throw Self.restoring(path) }
            tries += 1
        }
    }

    /// Ends one use.
    func endUse() {
        state.withLock { state in
            state.uses -= 1
            state.isClosing = false
            if state.uses == 0 { platform_unlock_byte(state.descriptor, 0) }
        }
    }

    /// Begins a use again, after the last one of this process has ended, if no other process uses the database. Others wait until
    /// ``endUse()``.
    func beginClosing() -> Bool {
        state.withLock { state in
            guard state.uses == 0, !state.isReplacing, platform_lock_byte(state.descriptor, 0, true) == 0 else { return false }
            state.uses = 1
            state.isClosing = true
            return true
        }
    }

    /// Whether any process uses the database.
    var isUsed: Bool { state.withLock { $0.uses > 0 || platform_lock_holder($0.descriptor, 0) != 0 } }

    /// Whether another process replaces the database with a backup.
    var isBeingRestored: Bool { state.withLock { platform_lock_holder($0.descriptor, Self.restoreByte) > 0 } }

    static func restoring(_ path: String) -> StoreError {
        StoreError(.busy, "\(path): the database is being restored by another process; try again")
    }

    /// Runs `body` while no process, including this one, uses the database.
    /// - Throws: `StoreError`; `busy` if a process uses it.
    func whileUnused<T>(_ body: () throws -> T) throws -> T {
        let isFree = state.withLock { state in
            state.isReplacing = state.uses == 0 && !state.isReplacing && platform_lock_byte(state.descriptor, 0, true) == 0
            if state.isReplacing { _ = platform_lock_byte(state.descriptor, Self.restoreByte, true) }
            return state.isReplacing
        }
        guard isFree else {
            throw StoreError(.busy, "the database is in use: stop the workers and other commands first")
        }
        defer {
            state.withLock { state in
                state.isReplacing = false
                platform_unlock_byte(state.descriptor, Self.restoreByte)
                platform_unlock_byte(state.descriptor, 0)
            }
        }
        return try body()
    }

    // MARK: Workers

    /// Locks a worker's byte for as long as this process lives, or until ``unlock(worker:)``.
    ///
    /// Call it within the transaction that registers the worker: then the workers of a file lock their bytes in the order of their ids.
    func lock(worker id: Int64) throws(StoreError) {
        _ = try reattach()
        let code = state.withLock { state -> Int32 in
            let code = platform_lock_byte(state.descriptor, id, true)
            guard code == 0 else { return code }
            state.workers.insert(id)
            Self.noteFirst(id, in: state.descriptor)
            return 0
        }
        guard code == 0 else { throw StoreError(.internal, "\(path): worker \(id) is locked by another process") }
    }

    /// Releases a worker's byte after an orderly shutdown.
    func unlock(worker id: Int64) {
        state.withLock { state in
            state.workers.remove(id)
            state.regions[id] = nil
            platform_unlock_byte(state.descriptor, id)
        }
    }

    /// The workers of this process.
    package var ownWorkers: Set<Int64> { state.withLock(\.workers) }

    /// Whether a worker's process may be alive: whatever its byte says, unless that proves its death. A stopped (SIGSTOP) process is alive.
    package func isAlive(worker id: Int64) -> Bool { life(of: id) != .ended }

    /// What the lock file says about a worker's process.
    package func life(of worker: Int64) -> WorkerLife {
        let (isOwn, descriptor) = state.withLock { ($0.workers.contains(worker), $0.descriptor) }
        guard !isOwn else { return .running }
        let holder = platform_lock_holder(descriptor, worker)
        // An error does not prove that the worker is dead.
        guard holder == 0 else { return holder > 0 ? .running : .uncertain }
        let first = Self.word(at: 0, in: descriptor)
        guard first > 0 && worker >= first || Self.word(at: Self.offset(of: worker), in: descriptor) == worker else { return .uncertain }
        return isAdrift ? .uncertain : .ended
    }

    /// Whether a worker's life has been uncertain for as long as a worker may take to lock its byte anew.
    func isLost(worker: Int64, now: Int64) -> Bool {
        guard life(of: worker) == .uncertain else {
            state.withLock { $0.uncertain[worker] = nil }
            return false
        }
        return state.withLock { state in
            let since = state.uncertain[worker] ?? now
            state.uncertain[worker] = since
            return now - since >= Self.longestReattachment
        }
    }

    /// A worker that has not locked its byte anew after this time, in ms, has ended, or is stopped.
    private static let longestReattachment: Int64 = 60_000

    /// Records the first worker that registers in a file. If that fails, for example on a full disk, free bytes prove less.
    private static func noteFirst(_ worker: Int64, in descriptor: Int32) {
        let first = word(at: 0, in: descriptor)
        // Numbers begin anew where a backup was restored.
        guard first == 0 || first > worker else { return }
        withUnsafeBytes(of: worker) { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// A word of the file; 0 where the file has none.
    private static func word(at offset: Int64, in descriptor: Int32) -> Int64 {
        var word: Int64 = 0
        let read = withUnsafeMutableBytes(of: &word) { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        return read == 8 ? word : 0
    }

    // MARK: Calls that have begun

    /// The region in which a worker records its calls; nil if another living worker occupies it.
    func calls(of worker: Int64) -> CallRegion? {
        guard let memory = Self.memory(of: worker, in: state.withLock(\.descriptor)) else { return nil }
        if memory[0] != 0, memory[0] != worker, isAlive(worker: memory[0]) { return nil }
        let region = CallRegion(memory, worker: worker)
        state.withLock { if $0.workers.contains(worker) { $0.regions[worker] = region } }
        return region
    }

    private static func memory(of worker: Int64, in descriptor: Int32) -> RegionMemory? {
        RegionMemory(descriptor: descriptor, offset: offset(of: worker), count: regionWords)
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
        let descriptor = state.withLock(\.descriptor)
        let read = words.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(Self.offset(of: worker))) }
        return read == Self.regionWords * 8 && words[0] == worker ? words : nil
    }

    private static func offset(of worker: Int64) -> Int64 { regionOffset + worker % regions * Int64(regionWords * 8) }
}

/// What the lock file says about a worker's process.
package enum WorkerLife: Sendable {
    /// It holds its byte.
    case running
    /// It has let go of its byte: it has ended.
    case ended
    /// Its byte is free, but it may have locked it in a file that was deleted or replaced. Its leases decide.
    case uncertain
}
