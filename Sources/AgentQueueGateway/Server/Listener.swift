import AgentQueueModel
import AgentQueueSettings
import Foundation
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// The gateway cannot listen.
package struct ListenError: Error, CustomStringConvertible {
    package enum Kind: Sendable {
        /// Another program listens there.
        case inUse
        case permission
        /// A file or a value of the configuration cannot be used.
        case configuration
        case other
    }

    package let kind: Kind
    package let description: String
}

/// Where the gateway listens: an address, a Unix socket, or both.
struct Listener: Sendable {
    enum Place: Sendable {
        case address(ListenAddress)
        case socket(String)
    }

    let place: Place
    /// The certificate and key; nil for plain HTTP.
    let tls: TLSConfiguration?

    /// - Throws: `ListenError` if the certificate cannot be used, or plain HTTP would be reachable by other machines unasked.
    static func all(_ settings: ServeSettings, asksForKeys: Bool) throws -> [Listener] {
        var listeners: [Listener] = []
        if let address = settings.listen {
            let tls = try configuration(settings.tls)
            if !address.isLoopback {
                guard asksForKeys else {
                    throw ListenError(
                        kind: .configuration,
                        description: "\(address) can be reached from other machines, which need keys; ask for keys, or listen on 127.0.0.1")
                }
                guard tls != nil || settings.plainHTTP else {
                    throw ListenError(
                        kind: .configuration,
                        description: "\(address) can be reached from other machines; set serve.tls, or serve.plain_http: true")
                }
            }
            listeners.append(Listener(place: .address(address), tls: tls))
        }
        if let socket = settings.socket { listeners.append(Listener(place: .socket(socket), tls: nil)) }
        guard !listeners.isEmpty else {
            throw ListenError(kind: .configuration, description: "there is nothing to listen on; set serve.listen or serve.socket")
        }
        return listeners
    }

    private static func configuration(_ settings: ServeTLSSettings) throws(ListenError) -> TLSConfiguration? {
        guard let path = settings.certificate else { return nil }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(path).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: settings.key ?? path, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        } catch {
            throw ListenError(
                kind: .configuration, description: "serve.tls: the certificate or key cannot be used (\(path)): \(error)")
        }
    }

    // MARK: Servers

    /// Makes the server, which listens once it runs.
    func server(
        _ connections: Connections, _ limits: GatewayLimits, logger: Logger, onRunning: @escaping @Sendable (any Channel) -> Void,
        responder: @escaping HTTPChannelHandler.Responder
    ) throws -> any Service {
        var http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ExchangeGuard(connections, limits: limits.exchange)], idleTimeout: limits.idle)
        http.httpDecoder = .init(
            maxHeaderFieldSize: limits.headBytes, maxHeaderListSize: limits.headBytes, maxHeaderFieldCount: limits.headFields)
        let bind: BindAddress =
            switch place {
            case .address(let address): .hostname(address.host, port: address.port)
            case .socket(let path): .unixDomainSocket(path: path)
            }
        let configuration = ServerConfiguration(
            address: bind, backlog: 1024,
            availableConnectionsDelegate: MaximumAvailableConnections(limits.connections + Connections.maxSurplus, logger: logger))
        func make(_ base: some ServerChildChannel) -> any Service {
            GatewayChannel(base: base, connections: connections, headTime: limits.head, isEncrypted: tls != nil).server(
                configuration: configuration, onServerRunning: { onRunning($0) },
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        }
        guard let tls else { return make(HTTP1Channel(responder: responder, configuration: http)) }
        let idle = Duration.nanoseconds(limits.idle.nanoseconds)
        return make(
            try HTTP2UpgradeChannel(
                tlsConfiguration: tls, configuration: .init(idleTimeout: idle, streamConfiguration: http), responder: responder))
    }

    // MARK: Unix sockets

    /// Makes the folder of a Unix socket, which only its owner may enter: the file itself has whatever rights the process gives to new
    /// ones until they are changed.
    /// - Throws: `ListenError`.
    func prepare() throws {
        guard case .socket(let path) = place else { return }
        let folder = (path as NSString).deletingLastPathComponent
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw ListenError(
                kind: errno == EACCES ? .permission : .other,
                description: "\(folder) cannot be made for the socket: \(String(cString: strerror(errno)).lowercased())")
        }
        var status = stat()
        guard stat(folder, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw ListenError(
                kind: .permission,
                description:
                    "\(folder) may be entered by others, and a socket in it asks for no key; run chmod 700 on it, or choose another")
        }
        if Self.answers(path) {
            throw ListenError(kind: .inUse, description: "another program listens on \(path); stop it, or set another serve.socket")
        }
    }

    /// Only the owner may connect.
    func protect() {
        guard case .socket(let path) = place else { return }
        chmod(path, 0o600)
    }

    func cleanUp() {
        guard case .socket(let path) = place else { return }
        unlink(path)
    }

    /// Whether a program accepts connections at a Unix socket.
    private static func answers(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// Why listening failed, as a sentence.
    func failure(_ error: any Error) -> any Error {
        let text =
            switch place {
            case .address(let address): address.description
            case .socket(let path): path
            }
        guard let error = error as? IOError else { return error }
        switch error.errnoCode {
        case EADDRINUSE:
            return ListenError(kind: .inUse, description: "\(text) is in use by another program; stop it, or listen elsewhere")
        case EACCES, EPERM:
            return ListenError(kind: .permission, description: "this user may not listen on \(text); choose another port or address")
        default:
            return ListenError(
                kind: .other, description: "cannot listen on \(text): \(String(cString: strerror(error.errnoCode)).lowercased())")
        }
    }
}

/// The bounds of connections and requests.
struct GatewayLimits: Sendable {
    var connections: Int
    /// Of all fields of a head together.
    var headBytes = 32 << 10
    var headFields = 100
    /// How long a head may take.
    var head: TimeAmount = .seconds(30)
    var idle: TimeAmount = .seconds(120)
    var exchange = ExchangeGuard.Limits()
    /// Bodies in memory, all together.
    var bodyMemory = 256 << 20

    init(_ settings: ServeSettings) { connections = settings.maxConnections }
}
