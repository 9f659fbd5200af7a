/// What a ``ScriptedServer`` does with one request.
package struct ScriptedAnswer: Sendable {
    /// How an answer ends.
    package enum Ending: Sendable {
        /// As HTTP wants it.
        case whole
        /// The connection is dropped after this many bytes of the body, of which all were announced. 0 is after the head.
        case dropped(afterBytes: Int)
        /// The connection is dropped before any byte of an answer.
        case droppedUnanswered
        /// The head and this many bytes of the body are sent; then nothing, until the client goes away or the server stops.
        case stalled(afterBytes: Int)
    }

    /// 200, 404 and so on.
    package var status: Int
    /// Headers; `Content-Length` comes by itself.
    package var headers: [(String, String)]
    /// The body.
    package var body: [UInt8]
    /// What must happen first; nil is nothing.
    package var gate: Gate?
    /// What must happen before what comes behind so many bytes of the body; in order.
    package var pauses: [(afterBytes: Int, gate: Gate)]
    /// How it ends.
    package var ending: Ending
    /// Whether `Content-Length` is left out, and the body sent chunked.
    package var chunked: Bool

    /// Makes an answer of bytes.
    package init(
        _ status: Int = 200, headers: [(String, String)] = [], body: [UInt8], after gate: Gate? = nil, ending: Ending = .whole,
        chunked: Bool = false, pauses: [(afterBytes: Int, gate: Gate)] = []
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.gate = gate
        self.ending = ending
        self.chunked = chunked
        self.pauses = pauses
    }

    /// Makes an answer of JSON text.
    package init(
        _ status: Int = 200, headers: [(String, String)] = [], json: String, after gate: Gate? = nil, ending: Ending = .whole
    ) {
        self.init(
            status, headers: [("content-type", "application/json")] + headers, body: Array(json.utf8), after: gate, ending: ending)
    }

    /// Makes a stream of events out of their text.
    package init(
        stream text: String, headers: [(String, String)] = [], after gate: Gate? = nil, ending: Ending = .whole,
        pauses: [(afterBytes: Int, gate: Gate)] = []
    ) {
        self.init(
            headers: [("content-type", "text/event-stream; charset=utf-8")] + headers, body: Array(text.utf8), after: gate,
            ending: ending, chunked: true, pauses: pauses)
    }

    /// Nothing, ever: until the client goes away or the server stops.
    package static var hang: ScriptedAnswer { ScriptedAnswer(body: [], after: Gate()) }
}
