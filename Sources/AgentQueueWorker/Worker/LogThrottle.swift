import Synchronization

/// Says when something that may happen at every turn is worth saying again.
final class LogThrottle: Sendable {
    private let interval: Int64
    private let next = Atomic<Int64>(.min)

    /// - Parameter interval: the least time between two occasions.
    init(interval: Int64) { self.interval = interval }

    /// Whether it may be said now; if so, not again before the interval is over.
    func isDue(at now: Int64) -> Bool {
        let due = next.load(ordering: .relaxed)
        return now >= due && next.compareExchange(expected: due, desired: now + interval, ordering: .relaxed).exchanged
    }
}
