import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import Synchronization

/// Runs something beside a test, and ends it with the test.
func serving<Value>(_ serve: @escaping @Sendable () async throws -> Void, while body: () async throws -> Value) async throws -> Value {
    let task = Task { try await serve() }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    task.cancel()
    _ = await task.result
    return try result.get()
}

/// A real HTTP server on a loopback port whose every answer a test decides, and whose every event it can wait for.
///
/// Its events are requests that arrive and connections that the client closes: wait for those, never for time.
package final class ScriptedServer: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private struct State {
        var requests: [RecordedRequest] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
    }

    private let state = Mutex(State())
    private let arrived = Counter()
    private let closed = Counter()
    private let listener: NIOAsyncChannel<Connection, Never>
    private let script: Script
    /// The port it listens at.
    package let port: Int

    private init(_ listener: NIOAsyncChannel<Connection, Never>, _ script: Script) {
        self.listener = listener
        self.script = script
        port = listener.channel.localAddress?.port ?? 0
    }

    /// Starts a server, lends it, and stops it: connections still open are closed.
    /// - Parameters:
    ///   - port: where it listens; 0 is any free port.
    ///   - compresses: whether it compresses answers for clients that ask for it.
    ///   - encryption: its ``url`` is one of http all the same.
    package static func withServer<Value>(
        _ script: Script, port: Int = 0, compresses: Bool = false, encryption: TestCertificates.Encryption = .none,
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let tls = try encryption.context()
        // The compressor leaves the length that was announced as it is.
        let script =
            compresses
            ? Script { request in
                var answer = script.answer(request)
                answer.chunked = true
                return answer
            } : script
        let listener: NIOAsyncChannel<Connection, Never> = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    if compresses { try channel.pipeline.syncOperations.addHandler(HTTPResponseCompressor()) }
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        let server = ScriptedServer(listener, script)
        return try await serving({ try await server.serve() }, while: { try await body(server) })
    }

    /// `http://127.0.0.1:port`.
    package var url: String { "http://127.0.0.1:\(port)" }
    /// What it was asked so far, in the order of arrival.
    package var requests: RecordedRequests { RecordedRequests(state.withLock { $0.requests }) }
    /// How many connections were ever made.
    package var connections: Int { state.withLock { $0.connections } }
    /// How many connections are open now.
    package var openConnections: Int { state.withLock { $0.open } }
    /// How many connections were open at once, at most.
    package var mostOpenConnections: Int { state.withLock { $0.mostOpen } }

    /// Waits until so many requests have come, whole, and returns all there are.
    /// - Throws: `CancellationError`.
    @discardableResult
    package func waitForRequests(_ count: Int) async throws -> [RecordedRequest] {
        try await arrived.wait(atLeast: count)
        return Array(requests)
    }

    /// Waits until so many connections were closed by the client, since the start.
    /// - Throws: `CancellationError`.
    package func waitForClientsToClose(_ count: Int) async throws {
        try await closed.wait(atLeast: count)
    }

    private func serve() async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    let number = state.withLock { state in
                        state.connections += 1
                        state.open += 1
                        state.mostOpen = max(state.mostOpen, state.open)
                        return state.connections
                    }
                    let ours = OurOwnDoing()
                    connection.channel.closeFuture.whenComplete { [self] _ in
                        state.withLock { $0.open -= 1 }
                        if !ours.isSet { closed.add() }
                    }
                    group.addTask {
                        // A connection's end, however it comes, ends nothing but itself.
                        try? await self.serve(connection, number, ours)
                    }
                }
            }
        }
    }

    private func serve(_ connection: Connection, _ number: Int, _ ours: OurOwnDoing) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var request: RecordedRequest?
            for try await part in inbound {
                switch part {
                case .head(let head):
                    request = RecordedRequest(
                        method: head.method.rawValue, path: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: [],
                        connection: number)
                case .body(let bytes):
                    request?.body.append(contentsOf: bytes.readableBytesView)
                case .end:
                    guard let whole = request else { continue }
                    request = nil
                    state.withLock { $0.requests.append(whole) }
                    arrived.add()
                    guard try await send(script.answer(whole), connection.channel, outbound, ours) else { return }
                }
            }
        }
    }

    /// Sends an answer, and returns whether the connection goes on.
    private func send(
        _ answer: ScriptedAnswer, _ channel: any Channel, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>,
        _ ours: OurOwnDoing
    ) async throws -> Bool {
        if let gate = answer.gate { try await Self.wait(gate, orEndOf: channel) }
        if case .droppedUnanswered = answer.ending {
            ours.set()
            try await channel.close()
            return false
        }
        var headers = HTTPHeaders(answer.headers)
        if !answer.chunked { headers.replaceOrAdd(name: "content-length", value: "\(answer.body.count)") }
        try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)))
        var bytes = answer.body[...]
        switch answer.ending {
        case .dropped(let count), .stalled(let count): bytes = bytes.prefix(count)
        case .whole, .droppedUnanswered: break
        }
        for pause in answer.pauses {
            let first = bytes.prefix(max(0, pause.afterBytes - bytes.startIndex))
            bytes = bytes.dropFirst(first.count)
            try await Self.send(first, outbound)
            try await Self.wait(pause.gate, orEndOf: channel)
        }
        try await Self.send(bytes, outbound)
        switch answer.ending {
        case .whole:
            try await outbound.write(.end(nil))
            return true
        case .stalled:
            try await Self.wait(Gate(), orEndOf: channel)
            return false
        case .dropped, .droppedUnanswered:
            ours.set()
            try await channel.close()
            return false
        }
    }

    private static func send(
        _ bytes: ArraySlice<UInt8>, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes.dropFirst(start).prefix(1 << 16)))))
        }
    }

    /// Waits for the gate, but not beyond the connection.
    private static func wait(_ gate: Gate, orEndOf channel: any Channel) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let end = Gate()
            channel.closeFuture.whenComplete { _ in end.open() }
            group.addTask { try await gate.wait() }
            group.addTask {
                try await end.wait()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// What a ``ScriptedServer`` answers: a function of each request, so that a test can script by path, by content or by turn.
package struct Script: Sendable {
    let answer: @Sendable (RecordedRequest) -> ScriptedAnswer

    /// Answers each request as the function says.
    package init(_ answer: @escaping @Sendable (RecordedRequest) -> ScriptedAnswer) {
        self.answer = answer
    }

    /// The same answer always.
    package static func always(_ answer: ScriptedAnswer) -> Script { Script { _ in answer } }

    /// These answers one after another, and the last of them from then on; for requests that come one at a time.
    package static func inTurn(_ answers: ScriptedAnswer...) -> Script {
        let turn = Counter()
        return Script { _ in
            turn.add()
            return answers[min(turn.count, answers.count) - 1]
        }
    }
}

/// Whether it was the server that ended a connection.
final class OurOwnDoing: Sendable {
    private let flag = Atomic(false)

    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}
