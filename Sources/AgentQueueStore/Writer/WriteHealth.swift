import Synchronization

/// Whether this process was able to write lately, which tells how much an expired lease proves.
///
/// A full disk, or a process that is stopped while it holds the write lock, keeps every worker from renewing its leases. When that passes,
/// whoever writes first would take the jobs of all others, whose calls have been made and paid for. So a process that could not write
/// either gives living owners a heartbeat's time first.
final class WriteHealth: Sendable {
    /// A transaction that took longer than this, in ms, counts as one that failed: it waited for the write lock, or for the disk.
    static let longWait: Int64 = 1_000

    private let failing = Atomic<Bool>(false)
    /// Since when operations are being written (boot clock, ms); 0 if none are.
    private let began = Atomic<Int64>(0)
    private let state = Mutex(State())

    private struct State {
        /// When writing became possible again (boot clock, ms).
        var recoveredAt: Int64?
        var lastLook: Int64?
    }

    /// Whether the last write failed.
    var isFailing: Bool { failing.load(ordering: .relaxed) }

    /// Since when operations are being written (boot clock, ms); nil if none are.
    var writesSince: Int64? {
        let start = began.load(ordering: .relaxed)
        return start == 0 ? nil : start
    }

    func noteStart(at now: Int64) { began.store(now, ordering: .relaxed) }

    func noteEnd() { began.store(0, ordering: .relaxed) }

    /// A write has failed: the disk is full, say, or the write lock was not to be had.
    func noteFailure() { failing.store(true, ordering: .relaxed) }

    /// A write has succeeded after one that failed, or after a long wait.
    func noteRecovery(at now: Int64) {
        state.withLock { $0.recoveredAt = now }
        failing.store(false, ordering: .relaxed)
    }

    /// This process looks for expired leases. If it has not looked for a heartbeat's time, it was itself stopped, probably with the others:
    /// by the terminal, or with the machine.
    func noteLook(at now: Int64, heartbeat: Int64) {
        state.withLock { state in
            if heartbeat > 0, let last = state.lastLook, now - last > heartbeat { state.recoveredAt = now }
            state.lastLook = now
        }
    }

    /// Whether living owners have had a heartbeat's time to renew their leases since writing became possible again.
    func isSteady(at now: Int64, heartbeat: Int64) -> Bool {
        state.withLock { state in state.recoveredAt.map { now - $0 >= heartbeat } ?? true }
    }
}
