import AgentQueueModel
import ArgumentParser
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server that answers every chat completion, every embeddings call and every Anthropic message after a time: what is left of a
/// call's cost is the caller's own. In a process of its own, so that its work is not counted.
///
/// A path that begins with `/delay/N` is answered after N ms.
struct ModelServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve")
    @Option(help: "How long an answer takes, in ms.") var delay: Int64 = 50
    @Option var port = 0

    func run() async throws {
        let delay = TimeAmount.milliseconds(delay)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(AnswerAfter(delay: delay))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        Figures.line("{\"port\": \(channel.localAddress?.port ?? 0)}")
        try await channel.closeFuture.get()
    }
}

/// One connection of the server. Confined to its event loop.
private final class AnswerAfter: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let delay: TimeAmount
    private var path = ""
    private var body: [UInt8] = []

    init(delay: TimeAmount) { self.delay = delay }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            path = String(head.uri.prefix { $0 != "?" })
            body.removeAll(keepingCapacity: true)
        case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
        case .end:
            let answer = answer()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: wait) {
                let (handler, context) = bound.value
                handler.write(answer, context)
            }
        }
    }

    private func write(_ answer: (type: String, body: String), _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "content-type", value: answer.type)
        head.headers.add(name: "content-length", value: "\(answer.body.utf8.count)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: answer.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// How long the request at hand is to take.
    private var wait: TimeAmount {
        let parts = path.split(separator: "/")
        guard parts.count > 1, parts[0] == "delay", let milliseconds = Int64(parts[1]) else { return delay }
        return .milliseconds(milliseconds)
    }

    private func answer() -> (type: String, body: String) {
        if path.hasSuffix("/messages") { return ("text/event-stream", Self.message) }
        return ("application/json", path.hasSuffix("/embeddings") ? Self.embeddings(for: body) : Self.completion)
    }

    /// A vector of 8 numbers, all 0.5, in base64, for each text.
    private static func embeddings(for body: [UInt8]) -> String {
        let count = (try? JSONValue.parse(body))?["input"]?.array?.count ?? 1
        let vector = "AAAAPwAAAD8AAAA/AAAAPwAAAD8AAAA/AAAAPwAAAD8="
        let data = (0..<count).map { #"{"object":"embedding","index":\#($0),"embedding":"\#(vector)"}"# }.joined(separator: ",")
        return #"{"object":"list","model":"m","data":[\#(data)],"usage":{"prompt_tokens":\#(count),"total_tokens":\#(count)}}"#
    }

    private static let completion = """
        {"id":"chatcmpl-1","object":"chat.completion","created":1795330000,"model":"m","choices":[{"index":0,"message":\
        {"role":"assistant","content":"\(String(repeating: "r", count: 200))"},"finish_reason":"stop"}],\
        "usage":{"prompt_tokens":20,"completion_tokens":50,"total_tokens":70}}
        """

    private static let message = [
        #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"#
            + #""stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello there."}}"#,
        #"{"type":"content_block_stop","index":0}"#,
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}"#,
        #"{"type":"message_stop"}"#,
    ].map { data in
        let name = data.split(separator: "\"")[3]
        return "event: \(name)\ndata: \(data)\n\n"
    }.joined()
}
