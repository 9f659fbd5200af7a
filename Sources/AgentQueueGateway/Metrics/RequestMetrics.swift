import Synchronization

/// What this process has answered since it began.
final class RequestMetrics: Sendable {
    struct Values: Sendable {
        /// By route and status.
        var requests: [[String]: Int] = [:]
        var durations: [String: DurationHistogram] = [:]
        var firstBytes: [String: DurationHistogram] = [:]
        /// How long jobs waited before their calls began, by queue.
        var waits: [String: DurationHistogram] = [:]
        var attached = 0
        /// By how requests ended that were not answered whole.
        var disconnects: [String: Int] = [:]
    }

    /// One request that has been answered, or not.
    struct Request {
        /// The route's path; nil if there is none.
        var route: String?
        var status: Int?
        var duration: Duration
        var firstByte: Duration?
        /// The queue of its job, and how long that waited.
        var wait: (queue: String, time: Duration)?
        var isAttached = false
        var outcome: String?
    }

    /// Queues beyond these are counted together.
    private static let maxQueues = 20

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func add(_ request: Request) {
        let route = request.route ?? "none"
        state.withLock { values in
            values.requests[[route, "\(request.status ?? 0)"], default: 0] += 1
            values.durations[route, default: DurationHistogram()].add(request.duration)
            if let time = request.firstByte { values.firstBytes[route, default: DurationHistogram()].add(time) }
            if let (queue, time) = request.wait {
                let isKnown = values.waits[queue] != nil || values.waits.count < Self.maxQueues
                values.waits[isKnown ? queue : MetricsText.other, default: DurationHistogram()].add(time)
            }
            if request.isAttached { values.attached += 1 }
            if let outcome = request.outcome { values.disconnects[outcome, default: 0] += 1 }
        }
    }
}
