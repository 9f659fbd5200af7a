import NIOCore

/// Stands in front of everything else on a connection: counts it, and bounds how long the head of a request may take.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What stands behind it tells it that a head, or a whole request, has arrived.
    enum Arrival: Sendable {
        case head
        case end
    }

    private let connections: Connections
    /// How long a head may take from its first byte on.
    private let headTime: TimeAmount
    /// Whether only the first head is timed: behind TLS it cannot be seen where the next one begins.
    private let isEncrypted: Bool
    private var awaitsHead = true
    private var timer: Scheduled<Void>?
    private var isOpen = false

    /// How long a connection that is one too many has to send its head.
    private static let surplusTime = TimeAmount.seconds(5)

    init(_ connections: Connections, headTime: TimeAmount, isEncrypted: Bool) {
        self.connections = connections
        self.headTime = headTime
        self.isEncrypted = isEncrypted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isOpen = true
        if connections.open(context.channel) {
            start(context, min(Self.surplusTime, headTime))
        } else if isEncrypted {
            start(context, headTime)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { close(context) }

    func channelInactive(context: ChannelHandlerContext) {
        close(context)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if awaitsHead, timer == nil { start(context, headTime) }
        context.fireChannelRead(data)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event as? Arrival {
        case .head:
            awaitsHead = false
            timer?.cancel()
            timer = nil
            promise?.succeed()
        case .end:
            awaitsHead = !isEncrypted
            promise?.succeed()
        case nil: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    private func start(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    private func close(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        guard isOpen else { return }
        isOpen = false
        connections.close(context.channel)
    }
}
