import Synchronization

/// Limits how often a repeating message is logged.
final class LogThrottle: Sendable {
    private let interval: Int64
    private let next = Atomic<Int64>(.min)

    /// - Parameter interval: the minimum time between two messages, in the unit of the times that are passed in.
    init(interval: Int64) { self.interval = interval }

    /// Whether the message may be logged now. If so, the next one is due after the interval.
    func isDue(at now: Int64) -> Bool {
        let due = next.load(ordering: .relaxed)
        return now >= due && next.compareExchange(expected: due, desired: now + interval, ordering: .relaxed).exchanged
    }
}
