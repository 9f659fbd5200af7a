import Synchronization

/// Whether the client of a connection is still there. It is noticed at once, also while nothing is sent.
final class ClientPresence: Sendable {
    enum Departure: Sendable, Equatable {
        /// The client will send nothing more: it has gone, or it has closed only its side and still reads.
        case closedInput
        /// Nobody reads any more.
        case disconnected
        /// The gateway stops and cuts its connections. The client has not left by itself, and will come back.
        case stopped
    }

    private struct State {
        var departure: Departure?
        var action: (@Sendable (Departure) -> Void)?
    }

    private let state = Mutex(State())

    init() {}

    /// Nil while the client is there.
    var departure: Departure? { state.withLock(\.departure) }

    /// Calls an action when the client leaves, at once if it has left, and again if it first only closed its side. It replaces the
    /// action before it; nil ends it.
    func onDeparture(_ action: (@Sendable (Departure) -> Void)?) {
        let departure = state.withLock { state in
            state.action = action
            return state.departure
        }
        if let departure { action?(departure) }
    }

    /// Records that the client has left.
    func leave(_ departure: Departure) {
        let action = state.withLock { state -> (@Sendable (Departure) -> Void)? in
            switch (state.departure, departure) {
            case (nil, _), (.closedInput, .disconnected), (.closedInput, .stopped):
                state.departure = departure
                return state.action
            default: return nil
            }
        }
        action?(departure)
    }
}
