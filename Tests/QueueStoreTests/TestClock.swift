import QueueStore
import Synchronization

/// Clocks that stand still until a test turns them.
final class TestClock: Sendable {
    private struct State {
        var wall: Int64 = 1_795_305_600_000  // 2026-11-22T00:00:00Z
        var boot: Int64 = 5_000_000
        var bootID = "boot-1"
        var wallReads = 0
    }

    private let state = Mutex(State())

    /// Wall clock, ms since 1970.
    var wall: Int64 {
        get { state.withLock { $0.wall } }
        set { state.withLock { $0.wall = newValue } }
    }

    /// CLOCK_BOOTTIME, ms.
    var boot: Int64 {
        get { state.withLock { $0.boot } }
        set { state.withLock { $0.boot = newValue } }
    }

    var bootID: String {
        get { state.withLock { $0.bootID } }
        set { state.withLock { $0.bootID = newValue } }
    }

    /// How often the store has looked at the wall clock: once for each time a transaction begins.
    var wallReads: Int { state.withLock { $0.wallReads } }

    /// Time passes: on both clocks.
    func advance(_ milliseconds: Int64) {
        state.withLock {
            $0.wall += milliseconds
            $0.boot += milliseconds
        }
    }

    var storeClock: StoreClock {
        StoreClock(
            wall: { [self] in
                state.withLock {
                    $0.wallReads += 1
                    return $0.wall
                }
            }, boot: { [self] in boot }, bootID: { [self] in bootID })
    }
}
