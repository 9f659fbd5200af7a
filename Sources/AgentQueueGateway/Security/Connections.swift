import AgentQueueSettings
import NIOCore
import Synchronization

/// The open connections: how many there are, who is behind each, and whether they are too many.
final class Connections: Sendable {
    /// One channel that carries requests: a connection, or a stream of one (HTTP/2).
    struct Client: Sendable {
        let presence: ClientPresence
        /// The address at the other end; nil for a Unix socket.
        let address: IPAddress?
        let localAddress: IPAddress?
        let isUnixSocket: Bool
        /// Whether there were too many connections when it was opened: its request is refused.
        let isSurplus: Bool
    }

    private struct State {
        var open: [ObjectIdentifier: (address: IPAddress?, channel: any Channel)] = [:]
        var perAddress: [IPAddress: Int] = [:]
        var surplus: Set<ObjectIdentifier> = []
        var clients: [ObjectIdentifier: Client] = [:]
    }

    /// The connections from one address of another machine.
    static let maxPerAddress = 256
    /// How many connections beyond the limit are still told that there are too many. Any more are not accepted until others close.
    static let maxSurplus = 64

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.open.count } }

    /// Registers a connection.
    /// - Returns: whether it is one too many.
    func open(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress.flatMap(Self.address)
        return state.withLock { state in
            let id = ObjectIdentifier(channel)
            var isSurplus = state.open.count - state.surplus.count >= limit
            if let address, !address.isLoopback {
                state.perAddress[address, default: 0] += 1
                isSurplus = isSurplus || state.perAddress[address, default: 0] > Self.maxPerAddress
            }
            state.open[id] = (address, channel)
            if isSurplus { state.surplus.insert(id) }
            return isSurplus
        }
    }

    func close(_ channel: any Channel) {
        state.withLock { state in
            let id = ObjectIdentifier(channel)
            state.surplus.remove(id)
            guard let address = state.open.removeValue(forKey: id)?.address, let count = state.perAddress[address] else { return }
            state.perAddress[address] = count > 1 ? count - 1 : nil
        }
    }

    /// Registers a channel that will carry requests.
    func add(_ channel: any Channel, _ presence: ClientPresence) {
        let connection = channel.isHTTP2Stream ? channel.parent ?? channel : channel
        let isUnixSocket = if case .unixDomainSocket? = connection.localAddress { true } else { false }
        state.withLock { state in
            let client = Client(
                presence: presence, address: connection.remoteAddress.flatMap(Self.address),
                localAddress: connection.localAddress.flatMap(Self.address), isUnixSocket: isUnixSocket,
                isSurplus: state.surplus.contains(ObjectIdentifier(connection)))
            state.clients[ObjectIdentifier(channel)] = client
        }
    }

    func remove(_ channel: any Channel) {
        state.withLock { state in _ = state.clients.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// Who is behind a channel; nil once it is closed.
    func client(of channel: any Channel) -> Client? { state.withLock { $0.clients[ObjectIdentifier(channel)] } }

    /// Closes all connections, whatever they are in the middle of.
    func cutAll() {
        let (clients, channels) = state.withLock { (Array($0.clients.values), $0.open.values.map(\.channel)) }
        for client in clients { client.presence.leave(.stopped) }
        for channel in channels { channel.close(promise: nil) }
    }

    private static func address(_ socket: SocketAddress) -> IPAddress? { socket.ipAddress.flatMap { IPAddress($0) } }
}

extension Channel {
    /// A connection's parent is the channel that listens; a stream's parent is its connection.
    var isHTTP2Stream: Bool { parent?.parent != nil }
}
