import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization

/// Renews the leases of the jobs in flight, every third of a lease, on its own thread and connection, so that neither a long commit nor
/// a busy task pool makes the worker look dead.
///
/// It waits by `poll`, which counts on a clock that nobody sets: on Linux, Dispatch waits for a semaphore until a time of the wall clock,
/// and a clock that goes back would stop the heartbeat.
final class HeartbeatThread: Sendable {
    private let isStopping = Mutex(false)
    private let wakeDescriptor = platform_wake_descriptor()
    private let ended = DispatchSemaphore(value: 0)

    /// How long after a heartbeat that failed the next follows, in ms.
    private static let retry: Int64 = 1_000

    /// Starts the thread. It opens its connection when there is a lease to renew, so that an idle worker holds none.
    init(_ store: QueueStore, inFlight: InFlight, lease: Int64, logger: Logger) {
        let thread = Thread { [self] in
            var heartbeat: Heartbeat?
            let interval = max(lease / 3, 1)
            var next = interval
            while waits(next) {
                next = interval
                let leases = inFlight.leases
                guard !leases.isEmpty else { continue }
                do {
                    let connection = try heartbeat ?? Heartbeat(store)
                    heartbeat = connection
                    for lost in try connection.renew(leases, for: lease) { inFlight.stop(lost, .lostLease) }
                } catch {
                    // Others may be able to write again at any moment, and then take the jobs whose leases have ended.
                    next = min(interval, Self.retry)
                    logger.warning("a heartbeat failed", metadata: ["error": "\(error)"])
                }
            }
            heartbeat?.close()
            ended.signal()
        }
        thread.name = "aq-heartbeat"
        thread.stackSize = 512 << 10
        thread.start()
    }

    /// Ends the thread and waits for it.
    func stop() {
        let isFirst = isStopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
        guard isFirst else { return }
        platform_wake(wakeDescriptor)
        ended.wait()
        close(wakeDescriptor)
    }

    /// Waits for so many ms. Returns false as soon as the thread is to end.
    private func waits(_ milliseconds: Int64) -> Bool {
        let end = platform_monotonic_ns() / 1_000_000 + milliseconds
        var polled = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
        while !isStopping.withLock({ $0 }) {
            let rest = end - platform_monotonic_ns() / 1_000_000
            guard rest > 0 else { return true }
            poll(&polled, 1, Int32(clamping: rest))
        }
        return false
    }
}
