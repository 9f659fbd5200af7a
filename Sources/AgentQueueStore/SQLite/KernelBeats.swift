import AgentQueueModel
import Glibc

/// Which kernels have workers on a database: each notes its boot id and the time in the bell's file, every few seconds.
///
/// SQLite's shared memory and locks, and the locks that show who is alive, belong to one kernel. On a volume that two share (two machines,
/// virtual machines, sandboxes with a kernel of their own), each would take the other's workers for dead.
struct KernelBeats: Sendable {
    /// The path of the bell's file.
    let path: String

    /// How often a worker notes that it is there, in ms.
    static let interval: Int64 = 2_000

    /// The notes stand behind the bell's words, in one page.
    private static let offset: off_t = 1_024
    private static let slots = 128

    private struct Note: Equatable {
        var boot: Int64 = 0
        /// Wall clock, in ms.
        var at: Int64 = 0
    }

    /// Notes that this kernel has a worker. If that fails, for example on a full disk, other kernels are not refused.
    func beat(_ clock: StoreClock) {
        let boot = clock.bootNumber
        guard boot != 0 else { return }
        write(Note(boot: boot, at: clock.wall()))
    }

    /// Refuses to go on while another kernel has a worker. The time in a note proves nothing, since clocks are set: a note is watched, and
    /// only one that changes is proof. One that was written before this kernel booted is a former boot's, and is not watched.
    /// - Parameters:
    ///   - looks: how often to look; together with the pauses, longer than two beats.
    ///   - pause: waits between two looks.
    /// - Throws: `StoreError`.
    func refuseOthers(_ clock: StoreClock, looks: Int = 50, pause: () -> Void = { usleep(100_000) }) throws(StoreError) {
        let boot = clock.bootNumber
        guard boot != 0 else { return }
        let booted = clock.wall() - clock.boot()
        let others = notes().filter { $0.boot != 0 && $0.boot != boot && $0.at > booted }
        guard !others.isEmpty else { return }
        for _ in 0..<looks {
            pause()
            let now = notes()
            guard others.allSatisfy(now.contains) else {
                throw StoreError(
                    .busy,
                    """
                    the database is in use by workers of another machine, virtual machine or sandbox, whose locks do not reach this one; \
                    stop them first, or give each a database of its own
                    """)
            }
        }
        // They have ended. Nobody needs to watch for them again.
        for other in others { write(Note(), at: other.boot) }
    }

    /// Opens the file each time: where a volume is shared, that makes changes seen.
    private func notes() -> [Note] {
        guard let descriptor = try? PrivateFile.open(path, flags: O_RDONLY) else { return [] }  // Without a file there are no notes.
        defer { close(descriptor) }
        var notes = [Note](repeating: Note(), count: Self.slots)
        let read = notes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, Self.offset) }
        return read == Self.slots * MemoryLayout<Note>.stride ? notes : []
    }

    private func write(_ note: Note, at boot: Int64? = nil) {
        guard let descriptor = try? PrivateFile.open(path, flags: O_WRONLY) else { return }  // The next beat tries again.
        defer { close(descriptor) }
        let slot = (boot ?? note.boot) % Int64(Self.slots)
        withUnsafeBytes(of: note) { _ = pwrite(descriptor, $0.baseAddress, $0.count, Self.offset + off_t(slot) * off_t($0.count)) }
    }
}

extension MaintenanceStore {
    /// How often ``beat()`` is to be called, in ms.
    package static let beatInterval = KernelBeats.interval

    /// Notes that this kernel has a worker, so that programs under another one refuse the database.
    package func beat() { KernelBeats(path: path + "-bell").beat(clock) }
}
