import Glibc
import QueueStore

/// A word to a person who waits for what nobody works on.
enum WorkerHint {
    /// On a terminal, says so where no worker runs. (A script may start its worker later.)
    static func sayIfNoneRuns(_ store: QueueStore) throws {
        guard isatty(STDERR_FILENO) == 1 else { return }
        guard try !store.workers().contains(where: { store.locks.isAlive(worker: $0.id) }) else { return }
        Diagnostics.say("waiting, but no worker is running; start one with 'agent-worker'")
    }
}
