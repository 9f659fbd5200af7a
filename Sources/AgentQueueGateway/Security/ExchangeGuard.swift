import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Watches the requests and answers of one channel: notices that its client leaves, bounds how long a body may take and how long nothing of
/// an answer is read, answers what is not HTTP, and closes the connection after an answer that says so.
final class ExchangeGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The bounds of time.
    struct Limits: Sendable {
        /// How long a body may take before its rate counts.
        var bodyGrace: TimeAmount = .seconds(10)
        /// Bytes a second.
        var bodyRate = 8 << 10
        var bodyTime: TimeAmount = .minutes(10)
        /// How often the rate of a slow body is looked at.
        var bodyInterval: TimeAmount = .seconds(1)
        /// How long a client may read nothing of what is sent to it.
        var stall: TimeAmount = .seconds(60)
        /// How long the rest of a refused body is read and discarded, so that the client can read the answer.
        var linger: TimeAmount = .seconds(2)
    }

    private let connections: Connections
    private let limits: Limits
    private let presence = ClientPresence()
    private var isHTTP2 = false

    private var readsRequest = false
    private var bodyBytes = 0
    private var bodyStart = NIODeadline.now()
    /// Whether the next bytes are asked for. If not, it is not the client that is slow.
    private var wantsRead = true
    private var bodyTimer: Scheduled<Void>?

    /// Requests that are not answered yet.
    private var unanswered = 0
    /// Whether the connection closes after the answer under way.
    private var closesAfterAnswer = false
    /// Whether the last request that was read asks to be the last. Those before it are answered first.
    private var closesAfterLast = false
    /// Whether the last answer was sent, so that anything that still arrives is discarded.
    private var lingers = false
    private var lingerTimer: Scheduled<Void>?
    private var stallTimer: Scheduled<Void>?

    init(_ connections: Connections, limits: Limits) {
        self.connections = connections
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isHTTP2 = context.channel.isHTTP2Stream
        connections.add(context.channel, presence)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context) }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    private func end(_ context: ChannelHandlerContext) {
        for timer in [bodyTimer, lingerTimer, stallTimer] { timer?.cancel() }
        presence.leave(.disconnected)
        connections.remove(context.channel)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            // A stream of HTTP/2 closes its input after every request.
            if !isHTTP2 { presence.leave(.closedInput) }
            if lingers { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !lingers else {
            if case .end = part { context.close(promise: nil) }
            return
        }
        switch part {
        case .head(let head):
            unanswered += 1
            (readsRequest, bodyBytes, bodyStart) = (true, 0, .now())
            closesAfterLast = Self.closes(head.headerFields)
            tellGate(context, .head)
        case .body(let bytes): bodyBytes += bytes.readableBytes
        case .end:
            readsRequest = false
            bodyTimer?.cancel()
            bodyTimer = nil
            tellGate(context, .end)
        }
        context.fireChannelRead(data)
    }

    /// A stream of HTTP/2 has a pipeline of its own; the gate stands in that of the connection.
    private func tellGate(_ context: ChannelHandlerContext, _ arrival: ConnectionGate.Arrival) {
        guard isHTTP2 else { return context.triggerUserOutboundEvent(arrival, promise: nil) }
        context.channel.parent?.triggerUserOutboundEvent(arrival, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        wantsRead = false
        if readsRequest, bodyTimer == nil, !lingers { timeBody(context, limits.bodyGrace) }
        context.fireChannelReadComplete()
        if lingers { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        wantsRead = true
        context.read()
    }

    private func timeBody(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        bodyTimer = context.eventLoop.scheduleTask(in: time) {
            let (exchange, context) = bound.value
            exchange.checkBody(context)
        }
    }

    private func checkBody(_ context: ChannelHandlerContext) {
        bodyTimer = nil
        guard readsRequest, !lingers else { return }
        // While nothing was asked for, the client is not to blame.
        if !wantsRead { bodyStart = bodyStart + limits.bodyInterval }
        let taken = NIODeadline.now() - bodyStart
        let counted = max(0, (taken - limits.bodyGrace).nanoseconds)
        let due = Int(Double(counted) / 1e9 * Double(limits.bodyRate))
        guard taken >= limits.bodyTime || bodyBytes < due else { return timeBody(context, limits.bodyInterval) }
        closesAfterAnswer = true
        context.fireErrorCaught(BodyTooSlow())
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The codec's own error for a method or path that HTTP does not know has no public type.
        let isUnreadable = error is HTTPParserError || String(describing: type(of: error)) == "HTTP1TypeConversionError"
        guard isUnreadable, !isHTTP2 else { return context.fireErrorCaught(error) }
        closesAfterAnswer = true
        if readsRequest {
            context.fireErrorCaught(error)
        } else if unanswered == 0, !lingers {
            refuse(context, error)
        }
    }

    /// Answers what could not be read as a request.
    private func refuse(_ context: ChannelHandlerContext, _ error: any Error) {
        let isTooLarge = if case .headerOverflow? = error as? HTTPParserError { true } else { false }
        let answer = UnreadableRequest.answer(isTooLarge: isTooLarge)
        lingers = true
        context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: answer.body))), promise: nil)
        let written: EventLoopPromise<Void> = context.eventLoop.makePromise()
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        linger(context, after: written.futureResult)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.kind != .informational else { return context.write(data, promise: promise) }
            if Self.closes(head.headerFields) || (closesAfterLast && unanswered == 1) { closesAfterAnswer = true }
            head.headerFields[.connection] = closesAfterAnswer && !isHTTP2 ? "close" : nil
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            guard closesAfterAnswer else { return context.write(data, promise: promise) }
            lingers = true
            let written = promise ?? context.eventLoop.makePromise()
            context.writeAndFlush(data, promise: written)
            if readsRequest {
                linger(context, after: written.futureResult)
            } else {
                let channel = context.channel
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }

    /// Closes the connection once the rest of the request has arrived, or soon. Closing at once would reset it, and the client might
    /// never see the answer.
    private func linger(_ context: ChannelHandlerContext, after answer: EventLoopFuture<Void>) {
        let channel = context.channel
        bodyTimer?.cancel()
        // A client that waits for the connection to end sees the end now.
        if !isHTTP2 { answer.whenSuccess { channel.close(mode: .output, promise: nil) } }
        lingerTimer = context.eventLoop.scheduleTask(in: limits.linger) { channel.close(promise: nil) }
        context.read()
    }

    private static func closes(_ fields: HTTPFields) -> Bool {
        guard let value = fields[.connection] else { return false }
        return value.lowercased().split(separator: ",").contains { $0.filter { $0 != " " } == "close" }
    }

    // MARK: Clients that do not read

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallTimer?.cancel()
        stallTimer = nil
        if !context.channel.isWritable { timeStall(context, pending: Self.pending(context)) }
        context.fireChannelWritabilityChanged()
    }

    private func timeStall(_ context: ChannelHandlerContext, pending: Int) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stallTimer = context.eventLoop.scheduleTask(in: limits.stall) {
            let (exchange, context) = bound.value
            let left = Self.pending(context)
            if left < pending { exchange.timeStall(context, pending: left) } else { context.channel.close(promise: nil) }
        }
    }

    /// The bytes that were written but not sent yet. A channel that does not know counts as one that sends nothing.
    private static func pending(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
