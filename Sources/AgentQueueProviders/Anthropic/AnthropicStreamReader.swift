import AgentQueueDialects
import AgentQueueModel
import Synchronization

/// Reads a streamed answer as it arrives, and reports its pieces.
final class AnthropicStreamReader: Sendable {
    private struct State {
        var head: HTTPAnswer?
        var parser = ServerSentEventParser()
        var stream = AnthropicStream()
        var problem: AnthropicStream.Malformed?
        var saidBegun = false
        var events: NativeEvents

        var isOver: Bool { problem != nil || stream.isOver }

        /// Takes events and returns what they add to the answer.
        mutating func take(_ events: [ServerSentEvent]) -> [ReplyEvent] {
            var pieces: [ReplyEvent] = []
            for event in events where !isOver {
                do throws(AnthropicStream.Malformed) {
                    let canonical = try stream.take(event)
                    self.events.add(event, canonical, isFailed: stream.error != nil, to: &pieces)
                } catch {
                    problem = error
                }
            }
            return pieces
        }
    }

    private let state: Mutex<State>
    private let onBegin: @Sendable () -> Void
    private let onEvent: (@Sendable (ReplyEvent) -> Void)?
    private let over: AsyncStream<Never>
    private let overContinuation: AsyncStream<Never>.Continuation

    /// - Parameters:
    ///   - native: the form of the stream, if its own events are wanted too.
    ///   - onBegin: called once, when the model begins to answer.
    ///   - onEvent: called with the pieces of the answer, in order.
    init(native: RequestForm? = nil, onBegin: @escaping @Sendable () -> Void, onEvent: (@Sendable (ReplyEvent) -> Void)?) {
        state = Mutex(State(events: NativeEvents(native)))
        self.onBegin = onBegin
        self.onEvent = onEvent
        (over, overContinuation) = AsyncStream.makeStream(of: Never.self)
    }

    /// Takes the answer's head.
    func take(head: HTTPAnswer) { state.withLock { $0.head = head } }

    /// Takes the next piece of the body.
    func take(_ bytes: [UInt8]) {
        let (begins, pieces, isOver) = state.withLock { state in
            guard !state.isOver else { return (false, [ReplyEvent](), true) }
            var pieces: [ReplyEvent] = []
            do throws(OverlongEvent) {
                pieces = state.take(try state.parser.feed(bytes))
            } catch {
                state.problem = AnthropicStream.Malformed(words: "sent an event that is too long")
            }
            let begins = state.stream.hasBegun && !state.saidBegun
            state.saidBegun = state.saidBegun || begins
            return (begins, pieces, state.isOver)
        }
        if begins { onBegin() }
        if let onEvent { for piece in pieces { onEvent(piece) } }
        if isOver { overContinuation.finish() }
    }

    /// Waits until no further event counts, or the task is cancelled.
    func waitUntilOver() async {
        for await _ in over {}
    }

    /// What has arrived, once nothing more does: the head, if any, the stream, and why it could not be read to its end, if so.
    func finish() -> (head: HTTPAnswer?, stream: AnthropicStream, problem: AnthropicStream.Malformed?) {
        let (pieces, result) = state.withLock { state in
            // A last event without the blank line after it counts if it is complete.
            let problem = state.problem
            let pieces = state.isOver ? [] : state.take(state.parser.finish())
            return (pieces, (state.head, state.stream, problem))
        }
        if let onEvent { for piece in pieces { onEvent(piece) } }
        return result
    }
}
