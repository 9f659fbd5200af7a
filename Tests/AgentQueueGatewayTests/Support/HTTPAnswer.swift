import AgentQueueModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// What a server answered.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// Whether the connection was not cut before the end.
    var isWhole: Bool

    subscript(header: String) -> String? { headers.first { $0.name.lowercased() == header.lowercased() }?.value }

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: JSONValue {
        get throws { try JSONValue.parse(text) }
    }

    /// The data of the server-sent events.
    var events: [String] { text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) } }
}

/// A request to a server on this machine.
struct HTTPCall: Sendable {
    var method: HTTPMethod = .POST
    var path: String
    var headers: [(String, String)] = []
    var body = ""

    /// Sends it and reads the whole answer.
    func answer(port: Int) async throws -> HTTPAnswer {
        try await answer(port: port) { reader in
            while try await reader.next() != nil {}
            return reader.answer
        }
    }

    /// Sends it, lends what reads the answer, and closes the connection afterwards.
    func answer<Value: Sendable>(
        port: Int, _ read: @escaping @Sendable (inout HTTPAnswerReader) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
            head.headers.add(name: "host", value: "127.0.0.1:\(port)")
            if !body.isEmpty { head.headers.add(name: "content-type", value: "application/json") }
            head.headers.add(name: "content-length", value: "\(body.utf8.count)")
            for (name, value) in headers { head.headers.replaceOrAdd(name: name, value: value) }
            try await outbound.write(.head(head))
            if !body.isEmpty { try await outbound.write(.body(.byteBuffer(ByteBuffer(string: body)))) }
            try await outbound.write(.end(nil))
            var reader = HTTPAnswerReader(parts: inbound.makeAsyncIterator())
            return try await read(&reader)
        }
    }
}

/// Reads an answer piece by piece.
struct HTTPAnswerReader {
    var parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    var answer = HTTPAnswer(status: 0, headers: [], body: [], isWhole: false)

    /// Waits for the next piece of the body; nil at the end.
    mutating func next() async throws -> [UInt8]? {
        do {
            while let part = try await parts.next() {
                switch part {
                case .head(let head):
                    // 100 comes before the answer.
                    guard head.status.code >= 200 else { continue }
                    answer.status = Int(head.status.code)
                    answer.headers = head.headers.map { ($0.name, $0.value) }
                case .body(let bytes):
                    answer.body += bytes.readableBytesView
                    return Array(bytes.readableBytesView)
                case .end:
                    answer.isWhole = true
                    return nil
                }
            }
        } catch is HTTPParserError {
            // A body that is cut.
        }
        return nil
    }

    /// Reads until the body holds a text.
    mutating func read(until text: String) async throws {
        while !answer.text.contains(text) {
            guard try await next() != nil else { return }
        }
    }
}
