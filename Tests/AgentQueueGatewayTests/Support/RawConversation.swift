import AgentQueueTestSupport
import NIOCore
import NIOPosix
import NIOSSL

/// A connection that sends whatever bytes a test wants.
struct RawConversation {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let channel: any Channel
    /// All that was received so far.
    private(set) var received = ""

    /// Connects, lends the connection, and closes it.
    static func with<Value: Sendable>(
        _ gateway: LiveGateway, socket: String? = nil, isEncrypted: Bool = false,
        _ body: @escaping @Sendable (inout RawConversation) async throws -> Value
    ) async throws -> Value {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).channelOption(.allowRemoteHalfClosure, value: true)
        let make: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = { channel in
            channel.eventLoop.makeCompletedFuture {
                if isEncrypted { try channel.pipeline.syncOperations.addHandler(encryption()) }
                return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
        let connection =
            if let socket {
                try await bootstrap.connect(unixDomainSocketPath: socket, channelInitializer: make)
            } else {
                try await bootstrap.connect(host: "127.0.0.1", port: gateway.port, channelInitializer: make)
            }
        return try await connection.executeThenClose { inbound, outbound in
            var conversation = RawConversation(outbound: outbound, inbound: inbound.makeAsyncIterator(), channel: connection.channel)
            return try await body(&conversation)
        }
    }

    private static func encryption() throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.issuer.utf8)))
        return try NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: "localhost")
    }

    private init(
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        channel: any Channel
    ) {
        self.outbound = outbound
        self.inbound = inbound
        self.channel = channel
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Sends nothing more, and still reads.
    func endInput() async throws { try await channel.close(mode: .output) }

    /// Reads until all that was received holds a text.
    /// - Throws: `TookTooLong` if the connection ends before.
    mutating func read(until text: String) async throws {
        while !received.contains(text) {
            guard let bytes = try await inbound.next() else { throw TookTooLong("the connection ended before \(text): \(received)") }
            received += String(buffer: bytes)
        }
    }

    /// Reads until the other side closes.
    mutating func readToEnd() async throws -> String {
        do {
            while let bytes = try await inbound.next() { received += String(buffer: bytes) }
        } catch is IOError {
            // It was reset, which is an end too.
        }
        return received
    }
}

/// A request in the bytes of HTTP/1.1.
func rawRequest(
    _ line: String, host: String = "localhost", _ headers: [String] = [], body: String? = nil, close: Bool = true
) -> String {
    var lines = ["\(line) HTTP/1.1", "host: \(host)"] + headers
    if close { lines.append("connection: close") }
    if let body { lines.append("content-length: \(body.utf8.count)") }
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
}
