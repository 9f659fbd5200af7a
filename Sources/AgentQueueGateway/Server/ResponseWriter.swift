import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization

/// Sends the answer to one request: all at once, or a head and then pieces. One task writes at a time.
///
/// Every answer carries both id headers. A write waits while the client takes nothing; a client that takes nothing for a minute is
/// disconnected.
final class ResponseWriter: @unchecked Sendable {
    /// A second task writes, or something is written after the end.
    struct Misused: Error {}

    /// What has been sent.
    struct Progress: Sendable {
        var status: Int?
        var bytes = 0
        var firstByteAt: ContinuousClock.Instant?
        var isFinished = false
    }

    private enum Turn {
        case free
        case taken
    }

    private struct State {
        var turn = Turn.free
        var progress = Progress()
        var common: HTTPFields
    }

    let id: RequestID
    private let isHead: Bool
    private let isRequestRead: @Sendable () -> Bool
    private let state: Mutex<State>
    // The types of these two are not declared `Sendable`, though they hold nothing but an `NIOAsyncChannelOutboundWriter`, which is. They
    // are touched only by the task that has taken the turn.
    private var server: HummingbirdCore.ResponseWriter?
    private var pieces: (any ResponseBodyWriter)?

    /// - Parameters:
    ///   - isHead: whether the request's method is HEAD: its answer has a head only.
    ///   - common: the headers of every answer.
    ///   - isRequestRead: whether nothing of the request is left on the connection. If something is, the connection ends with the answer.
    init(
        _ server: consuming HummingbirdCore.ResponseWriter, id: RequestID, isHead: Bool, common: HTTPFields,
        isRequestRead: @escaping @Sendable () -> Bool
    ) {
        self.server = consume server
        self.id = id
        self.isHead = isHead
        self.isRequestRead = isRequestRead
        state = Mutex(State(common: common))
    }

    /// Adds headers to those of every answer.
    func add(_ fields: HTTPFields) { state.withLock { $0.common.append(contentsOf: fields) } }

    var progress: Progress { state.withLock(\.progress) }

    /// Whether a head has been sent: what fails from now on can only be cut off.
    var hasBegun: Bool { progress.status != nil }

    /// Sends a whole answer, in one write.
    func send(_ status: Int, _ headers: HTTPFields, body: [UInt8]) async throws {
        try begins(status, bytes: body.count)
        defer { free() }
        guard let server = server.take() else { throw Misused() }
        var head = head(status, headers)
        if head.headerFields[.contentLength] == nil { head.headerFields[.contentLength] = String(body.count) }
        let content = isHead || body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        try await server.write(response: head, body: content)
        state.withLock { $0.progress.isFinished = true }
    }

    /// Sends the head of an answer whose body follows in pieces.
    func begin(_ status: Int, _ headers: HTTPFields) async throws {
        try begins(status, bytes: 0)
        defer { free() }
        guard let server = server.take() else { throw Misused() }
        pieces = try await server.writeHead(head(status, headers))
    }

    /// Sends a piece, in one write.
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty, !isHead else { return }
        try take()
        defer { free() }
        guard pieces != nil else { throw Misused() }
        try await pieces?.write(ByteBuffer(bytes: bytes))
        state.withLock { $0.progress.bytes += bytes.count }
    }

    /// Sends the end of an answer in pieces.
    func finish() async throws {
        try take()
        defer { free() }
        guard let last = pieces.take() else { throw Misused() }
        try await last.finish(nil)
        state.withLock { $0.progress.isFinished = true }
    }

    /// Tells a client that waits for it (`Expect: 100-continue`) to send its body.
    func sendContinue() async throws {
        try take()
        defer { free() }
        guard let server = server.take() else { throw Misused() }
        try await server.writeInformationalHead(HTTPResponse(status: .continue))
        self.server = consume server
    }

    private func head(_ status: Int, _ headers: HTTPFields) -> HTTPResponse {
        var fields = state.withLock(\.common)
        fields.append(contentsOf: headers)
        if !isRequestRead() { fields[.connection] = "close" }
        return HTTPResponse(status: HTTPResponse.Status(code: status), headerFields: fields)
    }

    private func begins(_ status: Int, bytes: Int) throws(Misused) {
        let isMine = state.withLock { state in
            guard state.turn == .free, state.progress.status == nil else { return false }
            state.turn = .taken
            state.progress.status = status
            state.progress.bytes = bytes
            state.progress.firstByteAt = .now
            return true
        }
        guard isMine else { throw Misused() }
    }

    private func take() throws(Misused) {
        let isMine = state.withLock { state in
            guard state.turn == .free, !state.progress.isFinished else { return false }
            state.turn = .taken
            return true
        }
        guard isMine else { throw Misused() }
    }

    private func free() { state.withLock { $0.turn = .free } }
}
