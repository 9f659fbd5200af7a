import AgentQueueStore
import CAgentQueue
import Foundation
import Glibc
import Logging
import Synchronization

/// Notices at once when another worker dies, through a process descriptor that becomes readable when the process ends. Where there is no
/// such descriptor (for another pid namespace), it checks the worker's lock every 50 ms.
///
/// It only triggers a look. The lock tells who is dead, and the rescue checks it again inside its transaction.
final class PeerWatch: Sendable {
    private let store: QueueStore
    private let onDeath: @Sendable () -> Void
    private let isStopping = Mutex(false)
    private let wakeDescriptor: Int32
    private let ended = DispatchSemaphore(value: 0)

    /// No timeout: a process that ends, or ``refresh()`` at least once a second, wakes it.
    private static let calmPoll: Int32 = -1
    private static let lockPoll: Int32 = 50

    /// Starts the thread.
    init(_ store: QueueStore, logger: Logger, onDeath: @escaping @Sendable () -> Void) {
        self.store = store
        self.onDeath = onDeath
        wakeDescriptor = platform_wake_descriptor()
        let thread = Thread { [self] in
            watch(logger)
            ended.signal()
        }
        thread.name = "aq-peers"
        thread.stackSize = 512 << 10
        thread.start()
    }

    /// Reads the list of workers again.
    func refresh() { platform_wake(wakeDescriptor) }

    /// Ends the thread and waits for it.
    func stop() {
        let isFirst = isStopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
        guard isFirst else { return }
        refresh()
        ended.wait()
        close(wakeDescriptor)
    }

    private func watch(_ logger: Logger) {
        var descriptors: [Int64: Int32] = [:]
        // Those whose descriptors tell nothing more: the process has ended, and the lock does not prove that it was the worker's.
        var spent: Set<Int64> = []
        defer { for descriptor in descriptors.values { close(descriptor) } }
        while !isStopping.withLock({ $0 }) {
            let others: [WorkerSummary]
            do {
                let own = store.locks.ownWorkers
                others = try store.maintenance.workers().filter { !own.contains($0.id) }
            } catch {
                logger.warning("the workers could not be read", metadata: ["error": "\(error)"])
                others = []
            }
            for (id, descriptor) in descriptors where !others.contains(where: { $0.id == id }) {
                close(descriptor)
                descriptors[id] = nil
            }
            spent.formIntersection(others.map(\.id))
            var isBlind = !spent.isEmpty
            for other in others where descriptors[other.id] == nil && !spent.contains(other.id) {
                // The pid may belong to another process by now: nothing is done before the lock is checked.
                let descriptor = platform_pidfd_open(pid_t(truncatingIfNeeded: other.pid))
                if descriptor >= 0 { descriptors[other.id] = descriptor } else { isBlind = true }
            }
            for id in wait(for: descriptors, milliseconds: isBlind ? Self.lockPoll : Self.calmPoll) {
                if let descriptor = descriptors.removeValue(forKey: id) { close(descriptor) }
                spent.insert(id)
            }
            let dead = others.filter { !store.locks.isAlive(worker: $0.id) }
            guard !dead.isEmpty else { continue }
            for worker in dead {
                if let descriptor = descriptors.removeValue(forKey: worker.id) { close(descriptor) }
            }
            onDeath()
        }
    }

    /// Returns the workers whose processes have ended.
    private func wait(for descriptors: [Int64: Int32], milliseconds: Int32) -> [Int64] {
        let workers = Array(descriptors)
        var polled = [pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)]
        polled += workers.map { pollfd(fd: $0.value, events: Int16(POLLIN), revents: 0) }
        let count = poll(&polled, nfds_t(polled.count), milliseconds)
        platform_wake_clear(wakeDescriptor)
        return count > 0 ? zip(workers, polled.dropFirst()).filter { $1.revents != 0 }.map(\.0.key) : []
    }
}
