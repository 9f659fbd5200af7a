import AgentQueueTestSupport
import Synchronization

/// A request at which a ``BatchServer`` stands still, so that a test can do something at exactly that point.
final class Hold: Sendable {
    /// Which point of the request.
    enum Moment: String, Sendable, CaseIterable {
        /// It has arrived, and nothing is done.
        case before
        /// It is done, and the answer not sent.
        case after
    }

    private struct State {
        var call: BatchServerCall?
        var isHandled = false
    }

    let moment: Moment
    /// What the answer waits for.
    let release = Gate()
    private let reached = Gate()
    private let isWanted: @Sendable (BatchServer.Step, _ arrival: Int) -> Bool
    private let server: BatchServer
    private let state = Mutex(State())

    init(_ server: BatchServer, _ moment: Moment, _ isWanted: @escaping @Sendable (BatchServer.Step, _ arrival: Int) -> Bool) {
        self.server = server
        self.moment = moment
        self.isWanted = isWanted
    }

    /// Whether a request stops here: the first that is wanted.
    func takes(_ step: BatchServer.Step, arrival: Int) -> Bool { step != .live && !isReached && isWanted(step, arrival) }

    func reach(_ call: BatchServerCall) {
        state.withLock { $0.call = call }
        reached.open()
    }

    /// Whether a request has come this far.
    var isReached: Bool { state.withLock { $0.call != nil } }
    /// Which kind of request it is.
    var step: BatchServer.Step? { state.withLock { $0.call?.step } }

    /// Waits until a request has come this far.
    func waitUntilReached(within limit: Duration = .seconds(30)) async throws {
        try await AgentQueueTestSupport.within(limit, "the request that is held arrives") { [reached] in try await reached.wait() }
    }

    /// The server goes on: what had not been done is done now, though nobody may be there any more to hear the answer.
    func proceed() {
        let late = state.withLock { state in
            defer { state.isHandled = true }
            return moment == .before && !state.isHandled ? state.call : nil
        }
        if let late { server.state.withLock { _ = $0.handle(late) } }
        release.open()
    }
}
