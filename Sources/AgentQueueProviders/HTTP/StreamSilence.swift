import Synchronization

/// How long a stream may be silent, in ms. A whole answer has no such limits: its first byte comes when the model is done.
package struct StreamLimits: Sendable, Equatable {
    /// Until its first byte; 300,000 by default.
    package var firstByte: Int64
    /// Between two of its pieces; 120,000 by default.
    package var idle: Int64

    package init(firstByte: Int64 = 300_000, idle: Int64 = 120_000) {
        self.firstByte = firstByte
        self.idle = idle
    }
}

/// The silence of one stream: how long it lasts, and how long it may.
final class StreamSilence: Sendable {
    private struct State {
        var since: ContinuousClock.Instant
        /// In ms; nil if it may last for ever.
        var limit: Int64?
    }

    private let state: Mutex<State>
    private let idle: Int64

    init(_ limits: StreamLimits, now: ContinuousClock.Instant) {
        state = Mutex(State(since: now, limit: limits.firstByte))
        idle = limits.idle
    }

    /// When to look next whether it has lasted too long; nil if it may last for ever. The limit becomes shorter once something has come, so
    /// the next look is never further away than ``StreamLimits/idle``.
    func nextLook(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        state.withLock { state in state.limit.map { min(state.since + .milliseconds($0), now + .milliseconds(idle)) } }
    }

    /// The limit in ms that it has reached; nil if it has reached none.
    func isTooLong(at now: ContinuousClock.Instant) -> Int64? {
        state.withLock { state in state.limit.flatMap { now >= state.since + .milliseconds($0) ? $0 : nil } }
    }

    /// Something came, and the next silence begins.
    func end(at now: ContinuousClock.Instant) {
        state.withLock { $0 = State(since: now, limit: idle) }
    }

    /// The answer is no stream.
    func ignore() {
        state.withLock { $0.limit = nil }
    }
}
