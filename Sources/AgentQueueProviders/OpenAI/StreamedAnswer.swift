import AgentQueueDialects
import AgentQueueModel
import Synchronization

/// Receives one stream and keeps what has arrived.
///
/// The transport delivers one piece after another. The lock is needed because the caller's task reads the result.
final class StreamedAnswer: Sendable {
    private struct State {
        var parser = ServerSentEventParser()
        var assembler: any EventAssembler
        var head: HTTPAnswer?
        var failure: HTTPFailure?
        var isCut = false
        var events: NativeEvents
    }

    private let state: Mutex<State>
    private let onEvent: @Sendable (ReplyEvent) -> Void

    /// - Parameters:
    ///   - assembler: builds an answer from the events.
    ///   - native: the form of the stream, if its own events are wanted too.
    ///   - onEvent: called with the pieces of the answer, in order.
    init(_ assembler: any EventAssembler, native: RequestForm?, onEvent: @escaping @Sendable (ReplyEvent) -> Void) {
        state = Mutex(State(assembler: assembler, events: NativeEvents(native)))
        self.onEvent = onEvent
    }

    /// Takes status and headers.
    func begin(_ head: HTTPAnswer) {
        state.withLock { $0.head = head }
    }

    /// Takes the stream's next piece.
    func take(_ bytes: [UInt8]) {
        let events = state.withLock { state -> [ReplyEvent] in
            guard state.failure == nil else { return [] }
            do throws(OverlongEvent) {
                return Self.take(try state.parser.feed(bytes), &state)
            } catch {
                state.failure = .tooLarge(limit: error.limit)
                return []
            }
        }
        for event in events { onEvent(event) }
    }

    /// Takes the stream's end.
    func end() {
        let events = state.withLock { state -> [ReplyEvent] in
            guard state.failure == nil else { return [] }
            let isReadable = state.assembler.unreadable == nil
            let events = Self.take(state.parser.finish(), &state)
            state.isCut = isReadable && state.assembler.unreadable != nil
            return events
        }
        for event in events { onEvent(event) }
    }

    /// Takes an answer that arrived whole because its headers did not announce a stream, although it is one.
    func takeUnannounced(_ answer: HTTPAnswer) {
        // A byte order mark may come first.
        let first = answer.body.first { ![0xEF, 0xBB, 0xBF, 0x20, 0x0D, 0x0A].contains($0) }
        // No JSON begins like a comment, `data:`, `event:`, `id:` or `retry:`.
        guard (200..<300).contains(answer.status), let first, ":deir".utf8.contains(first) else { return }
        begin(HTTPAnswer(status: answer.status, headers: answer.headers))
        take(answer.body)
    }

    private static func take(_ events: [ServerSentEvent], _ state: inout State) -> [ReplyEvent] {
        var told: [ReplyEvent] = []
        for event in events {
            let canonical = state.assembler.take(event)
            state.events.add(event, canonical, isFailed: state.assembler.hasFailed, to: &told)
        }
        return told
    }

    /// Status and headers; nil if no stream began.
    var head: HTTPAnswer? { state.withLock { $0.head } }
    /// What has arrived.
    var assembler: any EventAssembler { state.withLock { $0.assembler } }
    /// Whether the stream ended within an event, which cannot be read for that reason.
    var isCut: Bool { state.withLock { $0.isCut } }
    /// Why it could not be read to its end, if so.
    var failure: HTTPFailure? { state.withLock { $0.failure } }
}
