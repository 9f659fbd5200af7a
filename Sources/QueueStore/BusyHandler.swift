import CPlatform
import Glibc

/// How a connection waits for another process's lock: random sleeps of 0.2 to 2 ms.
///
/// SQLite's own handler sleeps longer and longer, so that under steady load the one that waits longest is served last;
/// with `synchronous=FULL` it starves a process completely. Random sleeps are fair; `aq-bench contend` in several processes shows it.
enum BusyHandler {
    /// The longest that one statement waits, in tries of 1.1 ms on average: about 10 s.
    private static let maxTries = 9_000

    /// Waits once more; false when it has been too long.
    static func wait(_ tries: Int) -> Bool {
        guard tries < maxTries else { return false }
        usleep(UInt32.random(in: 200...2_000))
        return true
    }
}
