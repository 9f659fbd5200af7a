import AgentQueueModel
import AgentQueueStore
import Synchronization

/// What this process has answered since it began, and the calls that it has made.
final class RequestMetrics: Sendable {
    struct Values: Sendable {
        /// By route and status.
        var requests: [[String]: Int] = [:]
        var durations = Histograms(most: 18)
        var firstBytes = Histograms(most: 18)
        /// By route: what requests took beyond the calls that were made for them.
        var overheads = Histograms(most: 8)
        /// How long jobs waited before their calls began, by queue.
        var waits = Histograms(most: 12)
        /// How long calls took, by target.
        var calls = Histograms(most: 12)
        /// By why requests were attached to earlier ones.
        var attached: [Attachment: Int] = [:]
        /// By how requests ended that were not answered whole.
        var disconnects: [String: Int] = [:]
        /// Streamed answers under way.
        var streams = 0
    }

    /// Distributions by the values of one label. Values beyond the first few are counted together, so that no client makes them many.
    struct Histograms: Sendable {
        /// How many values there may be, with the one that stands for all others.
        let most: Int
        private(set) var byLabel: [String: DurationHistogram] = [:]

        init(most: Int) { self.most = most }

        mutating func add(_ duration: Duration, _ label: String) {
            let isKnown = byLabel[label] != nil || byLabel.count < most - 1
            byLabel[isKnown ? label : MetricsText.other, default: DurationHistogram()].add(duration)
        }
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
        var attached: Attachment?
        /// How long the calls took that were made for it.
        var call: Duration?
        var outcome: String?
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func add(_ request: Request) {
        let route = request.route ?? "none"
        state.withLock { values in
            values.requests[[route, "\(request.status ?? 0)"], default: 0] += 1
            values.durations.add(request.duration, route)
            if let time = request.firstByte { values.firstBytes.add(time, route) }
            if let call = request.call { values.overheads.add(request.duration - call, route) }
            if let (queue, time) = request.wait { values.waits.add(time, queue) }
            if let attached = request.attached { values.attached[attached, default: 0] += 1 }
            if let outcome = request.outcome { values.disconnects[outcome, default: 0] += 1 }
        }
    }

    func addCall(_ target: Target, _ duration: Duration) {
        let name = target.description
        state.withLock { $0.calls.add(duration, name) }
    }

    func beginStream() { state.withLock { $0.streams += 1 } }

    func endStream() { state.withLock { $0.streams -= 1 } }
}
