import Synchronization

/// How long the commits of this process took, and when the latest was.
final class CommitTimes: Sendable {
    private let state = Mutex((durations: DurationHistogram(), latest: Int64?.none))

    var values: (durations: DurationHistogram, latest: Int64?) { state.withLock { $0 } }

    /// - Parameter time: wall clock, in milliseconds.
    func add(_ duration: Duration, at time: Int64) {
        state.withLock { state in
            state.durations.add(duration)
            state.latest = time
        }
    }
}
