import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// Decides how long a request waits for a lane that is closed.
///
/// A limit, a breaker or a pause closes a lane. The request waits for it, so that the client need not try again. But if the lane is known to
/// open later than the client may wait, the client is told so at once.
struct LaneWatch: Sendable {
    private let store: QueueStore
    private let policies: CallPolicies
    /// The time until which the request may wait, in ms since 1970.
    let deadline: Int64
    /// When to look next.
    private(set) var nextLook: ContinuousClock.Instant?
    /// Whether the job was found waiting for another.
    private(set) var isPending = false

    /// When the lane is first looked at. Most calls have begun by then.
    private static let grace: Duration = .milliseconds(50)
    /// How long what is known of a lane counts as current.
    private static let interval: Duration = .seconds(5)

    /// - Parameters:
    ///   - policies: as the workers have them.
    ///   - deadline: in ms since 1970.
    init(_ store: QueueStore, _ policies: CallPolicies, deadline: Int64) {
        self.store = store
        self.policies = policies
        self.deadline = deadline
        nextLook = .now + Self.grace
    }

    /// Why the job is not waited for any longer; nil while it is.
    /// - Throws: `StoreError`.
    mutating func refusal(of job: Int64, now: ContinuousClock.Instant) throws -> GatewayError? {
        guard let look = nextLook, look <= now else { return nil }
        nextLook = now + Self.interval
        guard let outcome = try store.gateway.outcomes(of: [job])[job], !outcome.state.isFinal else { return nil }
        isPending = outcome.state == .pending
        guard outcome.state != .running else { return nil }
        guard let lane = try store.gateway.lane(of: job, policies: policies), !lane.isOpen else { return nil }
        // One that was tried and waits to be tried again may wait no longer than one that never was.
        guard let opensAt = lane.opensAt, opensAt > deadline else {
            return store.clock.wall() > deadline ? Self.error(lane, now: store.clock.wall()) : nil
        }
        return Self.error(lane, now: store.clock.wall())
    }

    /// The error of a job whose time to wait is over.
    /// - Throws: `StoreError`.
    func timeout(of job: Int64) throws -> GatewayError {
        guard let lane = try store.gateway.lane(of: job, policies: policies), !lane.isOpen else {
            // One that was to be tried again is told why.
            if let error = try store.jobs.get(job)?.errors.last(where: { $0.failure != .expired }) {
                return GatewayError(error.failure, message: error.message)
            }
            return GatewayError(.overloaded, "The request waited as long as it may, and no worker was free: send it again later.")
        }
        return Self.error(lane, now: store.clock.wall())
    }

    private static func error(_ lane: LaneStatus, now: Int64) -> GatewayError {
        if lane.isPaused { return GatewayError(.providerUnavailable, "The queue is paused: resume it, or ask for another model.") }
        let reason = lane.cause?.sentence ?? "no call can be made"
        if lane.isOverBudget {
            return .closed(
                .budgetSpent, "There is no answer now, since \(reason): wait, or raise the key's limits.", opensAt: lane.opensAt, now: now)
        }
        return .closed(
            lane.isFault ? .providerUnavailable : .rateLimited, "There is no answer now, since \(reason): ask for another model, or later.",
            opensAt: lane.opensAt, now: now)
    }
}
