import NIOCore
import NIOPosix
import Synchronization

/// A real proxy on a loopback port: it connects for `CONNECT` and SOCKS 5, and passes on the first request of any other connection. Whatever
/// server is asked for, it connects to one port of this machine.
package final class ForwardProxy: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// What a client asked of it.
    package struct Request: Sendable, Equatable {
        /// `CONNECT`, `SOCKS`, or the method of the request.
        package var method: String
        /// The server, or the whole address.
        package var target: String
        /// The value of `proxy-authorization`.
        package var authorization: String?

        package init(method: String, target: String, authorization: String? = nil) {
            self.method = method
            self.target = target
            self.authorization = authorization
        }
    }

    private let asked = Mutex<[Request]>([])
    private let port: Int
    private let target: Int
    private let wants: String?

    private init(port: Int, target: Int, wants: String?) {
        self.port = port
        self.target = target
        self.wants = wants
    }

    /// Starts a proxy, lends it, and stops it.
    /// - Parameters:
    ///   - target: the port of this machine that every connection leads to.
    ///   - wants: the `proxy-authorization` without which it answers 407; nil for none.
    package static func withProxy<Value>(
        to target: Int, wants: String? = nil, _ body: (ForwardProxy) async throws -> Value
    ) async throws -> Value {
        let listener: NIOAsyncChannel<Connection, Never> = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        let proxy = ForwardProxy(port: listener.channel.localAddress?.port ?? 0, target: target, wants: wants)
        return try await serving({ try await proxy.serve(listener) }, while: { try await body(proxy) })
    }

    /// `127.0.0.1:port`.
    package var authority: String { "127.0.0.1:\(port)" }
    /// What it was asked so far, one for each connection.
    package var requests: [Request] { asked.withLock(\.self) }

    private func serve(_ listener: NIOAsyncChannel<Connection, Never>) async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask {
                        // A connection's end, however it comes, ends nothing but itself.
                        try? await connection.executeThenClose { inbound, outbound in
                            var pieces = inbound.makeAsyncIterator()
                            try await self.serve(&pieces, outbound)
                        }
                    }
                }
            }
        }
    }

    private func serve(
        _ pieces: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        guard let first = try await pieces.next() else { return }
        if first.readableBytesView.first == 5 {
            try await outbound.write(ByteBuffer(bytes: [5, 0]))
            guard let wish = try await pieces.next() else { return }
            asked.withLock { $0.append(Request(method: "SOCKS", target: Self.name(in: Array(wish.readableBytesView)))) }
            return try await pass(
                &pieces, outbound, answering: ByteBuffer(bytes: [5, 0, 0, 1, 127, 0, 0, 1, 0, 0]), sending: ByteBuffer())
        }
        var text = String(buffer: first)
        while !text.contains("\r\n\r\n"), let more = try await pieces.next() { text += String(buffer: more) }
        let words = text.prefix { $0 != "\r\n" }.split(separator: " ").map(String.init)
        guard words.count == 3 else { return }
        let header = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("proxy-authorization: ") }
        let request = Request(method: words[0], target: words[1], authorization: header.map { String($0.dropFirst(21)) })
        asked.withLock { $0.append(request) }
        guard wants == nil || wants == request.authorization else {
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n"
            return try await outbound.write(ByteBuffer(string: refusal))
        }
        if request.method == "CONNECT" {
            return try await pass(&pieces, outbound, answering: ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"), sending: ByteBuffer())
        }
        let path = request.target.dropFirst("http://".count).drop { $0 != "/" }
        let rest = text.dropFirst(words.joined(separator: " ").count)
        try await pass(
            &pieces, outbound, answering: ByteBuffer(), sending: ByteBuffer(string: "\(request.method) \(path) \(words[2])\(rest)"))
    }

    /// Connects to the target, and passes on bytes in both directions until one side ends.
    private func pass(
        _ pieces: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        answering answer: ByteBuffer, sending first: ByteBuffer
    ) async throws {
        let server: Connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: target) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        if answer.readableBytes > 0 { try await outbound.write(answer) }
        try await server.executeThenClose { answers, requests in
            if first.readableBytes > 0 { try await requests.write(first) }
            let back = Task {
                for try await piece in answers { try await outbound.write(piece) }
                outbound.finish()
            }
            defer { back.cancel() }
            while let piece = try await pieces.next() { try await requests.write(piece) }
        }
    }

    /// The host in a SOCKS 5 request for a name.
    private static func name(in wish: [UInt8]) -> String {
        guard wish.count > 5, wish[3] == 3 else { return "" }
        return String(decoding: wish[5..<min(wish.count, 5 + Int(wish[4]))], as: UTF8.self)
    }
}
