/// What a ``ScriptedServer`` does with one request.
public struct ScriptedAnswer: Sendable {
    /// How an answer ends.
    public enum Ending: Sendable {
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
    public var status: Int
    /// Headers; `Content-Length` comes by itself.
    public var headers: [(String, String)]
    /// The body.
    public var body: [UInt8]
    /// What must happen first; nil is nothing.
    public var gate: Gate?
    /// What must happen before what comes behind so many bytes of the body; in order.
    public var pauses: [(afterBytes: Int, gate: Gate)]
    /// How it ends.
    public var ending: Ending
    /// Whether `Content-Length` is left out, and the body sent chunked.
    public var chunked: Bool

    /// Makes an answer of bytes.
    public init(
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
    public init(
        _ status: Int = 200, headers: [(String, String)] = [], json: String, after gate: Gate? = nil, ending: Ending = .whole
    ) {
        self.init(
            status, headers: [("content-type", "application/json")] + headers, body: Array(json.utf8), after: gate, ending: ending)
    }

    /// Makes a stream of events out of their text.
    public init(
        stream text: String, headers: [(String, String)] = [], after gate: Gate? = nil, ending: Ending = .whole,
        pauses: [(afterBytes: Int, gate: Gate)] = []
    ) {
        self.init(
            headers: [("content-type", "text/event-stream; charset=utf-8")] + headers, body: Array(text.utf8), after: gate,
            ending: ending, chunked: true, pauses: pauses)
    }

    /// Nothing, ever: until the client goes away or the server stops.
    public static var hang: ScriptedAnswer { ScriptedAnswer(body: [], after: Gate()) }
}
