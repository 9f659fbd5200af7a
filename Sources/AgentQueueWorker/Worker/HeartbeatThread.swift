import AgentQueueModel
import AgentQueueStore
import Dispatch
import Foundation
import Logging
import Synchronization

/// Renews the leases of the jobs in flight, every third of a lease, on its own thread and connection, so that neither a long commit nor
/// a busy task pool makes the worker look dead.
final class HeartbeatThread: Sendable {
    private let isStopping = Mutex(false)
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread. It opens its connection when there is a lease to renew, so that an idle worker holds none.
    init(_ store: QueueStore, inFlight: InFlight, lease: Int64, logger: Logger) {
        let thread = Thread { [self] in
            var heartbeat: Heartbeat?
            while wake.wait(timeout: .now() + .milliseconds(Int(max(lease / 3, 1)))) == .timedOut {
                let leases = inFlight.leases
                guard !leases.isEmpty else { continue }
                do {
                    let connection = try heartbeat ?? Heartbeat(store)
                    heartbeat = connection
                    for lost in try connection.renew(leases, for: lease) { inFlight.stop(lost, .lostLease) }
                } catch {
                    // The next heartbeat comes well before the lease ends.
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
        wake.signal()
        ended.wait()
    }
}
