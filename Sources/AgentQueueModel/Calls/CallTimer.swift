/// Waits for a deadline that is rarely reached, such as the timeout of a call.
///
/// Swift keeps what a sleeping task has scheduled until its time has come, even if the task was cancelled long before: 0.75 KB for each
/// call until `http.request_timeout` has passed, which is hundreds of megabytes at a thousand calls a second. So a long sleep is made of
/// short ones, and a cancelled one leaves nothing behind after ``step``.
package enum CallTimer {
    /// The longest single sleep.
    package static let step = Duration.seconds(2)

    /// Sleeps until a deadline.
    /// - Parameter sleep: sleeps until a time, at most a step away.
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(
        until deadline: ContinuousClock.Instant,
        sleep: (ContinuousClock.Instant) async throws -> ContinuousClock.Instant = CallTimer.sleepOnce
    ) async throws {
        var now = ContinuousClock.now
        while now < deadline { now = try await sleep(min(deadline, now + step)) }
    }

    /// Sleeps for a time.
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(for duration: Duration) async throws { try await sleep(until: .now + duration) }

    /// Returns the time after the sleep.
    package static func sleepOnce(until time: ContinuousClock.Instant) async throws -> ContinuousClock.Instant {
        try await Task.sleep(until: time, clock: .continuous)
        return .now
    }
}
