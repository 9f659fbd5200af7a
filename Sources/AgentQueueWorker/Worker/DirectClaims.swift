import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Synchronization

/// Jobs that this process claims in the transaction that adds them, so that their calls begin after one commit and not after two.
///
/// Who adds a job takes a slot first (``begin()``), and hands over what the transaction has claimed (``end(_:)``).
final class DirectClaims: Sendable {
    private struct State {
        /// The worker's number while it runs.
        var worker: Int64?
        var isClosed = false
        /// Slots of transactions under way.
        var reserved = 0
        /// Slots that the worker's own claim may fill.
        var claiming = 0
    }

    private let configuration: WorkerConfiguration
    private let providers: Set<String>
    private let inFlight: InFlight
    private let state = Mutex(State())
    private let calls: AsyncStream<ClaimedJob>
    private let continuation: AsyncStream<ClaimedJob>.Continuation

    init(_ configuration: WorkerConfiguration, providers: Set<String>, _ inFlight: InFlight) {
        self.configuration = configuration
        self.providers = providers
        self.inFlight = inFlight
        (calls, continuation) = AsyncStream.makeStream()
    }

    /// What may be claimed with a job that is added now; nil if no slot is free. ``end(_:)`` must follow.
    func begin() -> ClaimRequest? {
        guard !inFlight.isAlone else { return nil }
        let worker = state.withLock { state -> Int64? in
            guard let worker = state.worker else { return nil }
            let taken = state.reserved + state.claiming
            let free = inFlight.freeSlots(of: configuration.concurrency, extra: 0, lingering: taken, now: platform_monotonic_ns())
            guard free.count > 0 else { return nil }
            state.reserved += 1
            return worker
        }
        return worker.map {
            ClaimRequest(
                worker: $0, queues: configuration.queues, providers: providers, slots: 1, lease: configuration.lease, isIdle: false,
                policies: configuration.policies)
        }
    }

    /// Takes over what was claimed: a job, or nothing.
    func end(_ jobs: [ClaimedJob]) {
        let now = platform_monotonic_ns()
        inFlight.add(jobs, alone: false) { configuration.deadline(of: $0, now: now) }
        for job in jobs {
            inFlight.beginCall(of: job.route.provider, now: now)
            continuation.yield(job)
        }
        state.withLock { $0.reserved -= 1 }
    }

    /// The slots that are taken but not in use yet.
    var reserved: Int { state.withLock(\.reserved) }

    /// Leaves slots to the worker's own claim until it has ended.
    func leave(_ slots: Int) { state.withLock { $0.claiming = slots } }

    /// Runs the calls until the task is cancelled.
    /// - Parameter done: called when a slot is free again.
    func run(as worker: Int64, _ runner: JobRunner, done: @escaping @Sendable () -> Void) async {
        state.withLock { $0.worker = $0.isClosed ? nil : worker }
        await withDiscardingTaskGroup { group in
            for await job in calls {
                group.addTask {
                    await runner.run([job])
                    done()
                }
            }
        }
    }

    /// Lets nothing more be claimed.
    func close() { state.withLock { ($0.worker, $0.isClosed) = (nil, true) } }
}

extension Worker {
    /// What may be claimed with a job that is added now; nil if no slot is free. ``endDirectClaim(_:)`` must follow.
    package func beginDirectClaim() -> ClaimRequest? { direct.begin() }

    /// Takes over what was claimed: a job, or nothing.
    package func endDirectClaim(_ jobs: [ClaimedJob]) { direct.end(jobs) }
}
