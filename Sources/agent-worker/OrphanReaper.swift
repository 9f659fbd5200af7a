import AgentQueueModel
import Foundation
import Glibc

/// Reaps orphans where this process is the first of a container, which is the parent of every process whose own parent has ended: what
/// Claude Code or a notification's command has left behind. Otherwise each would remain as a zombie.
///
/// Whoever starts a child here waits for it, so this must not take a child's status away. It reaps only children that have ended a while
/// ago: those that nobody waits for.
enum OrphanReaper {
    private static let interval: TimeInterval = 0.5

    /// Starts a thread that reaps orphans, if this is process 1 and `/proc` shows its own processes.
    static func startIfFirst() {
        // If the link cannot be read, there is no `/proc` to find orphans in.
        guard getpid() == 1, (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self")) == "1" else { return }
        Thread.detachNewThread {
            var watch = OrphanWatch()
            while true {
                Thread.sleep(forTimeInterval: interval)
                for orphan in watch.look(at: ChildProcessRegister.endedChildren(of: getpid())) { waitpid(orphan.pid, nil, WNOHANG) }
            }
        }
    }
}
