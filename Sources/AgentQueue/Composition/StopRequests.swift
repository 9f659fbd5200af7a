/// Tells the first request to stop a process from the second.
///
/// One request can arrive as several signals: `killall` and systemd's `KillMode=control-group` signal the supervisor and its children alike,
/// and a terminal that closes sends SIGHUP from the kernel and from the shell.
package struct StopRequests {
    /// When the first signal arrived.
    private var first: ContinuousClock.Instant?

    /// How long after the first signal another is the same request.
    private static let sameRequest = Duration.seconds(1)

    package enum Request {
        case stop
        case stopAtOnce
        /// It was made before.
        case repeated
    }

    package init() {}

    /// What a signal that arrives now asks for.
    package mutating func request(now: ContinuousClock.Instant = .now) -> Request {
        guard let first else {
            first = now
            return .stop
        }
        return now - first < Self.sameRequest ? .repeated : .stopAtOnce
    }
}
