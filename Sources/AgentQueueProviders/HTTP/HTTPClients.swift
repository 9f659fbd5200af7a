import AgentQueueModel
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization

/// The clients of a transport, one for each way to servers, made when it is first needed.
final class HTTPClients: Sendable {
    private let configuration: HTTPTransport.Configuration
    /// Nil once they are shut down.
    private let clients: Mutex<[Route: HTTPClient]?> = Mutex([:])

    /// What a client is for.
    private struct Route: Hashable {
        var way: Way
        /// Whether an answer may be no longer than the transport's limit once it is decoded.
        var isBounded: Bool
    }

    private enum Way: Hashable {
        case direct
        /// The proxy connects to the server, and passes on bytes.
        case tunnel(ProxyAddress)
        /// The proxy reads requests and passes them on: what proxies allow for http, where many refuse to connect.
        case forward(ProxyAddress)
    }

    init(_ configuration: HTTPTransport.Configuration) {
        self.configuration = configuration
    }

    /// Sends a request, by the proxy that the rules name for it.
    /// - Parameter isBounded: false for an answer that is handed on piece by piece, however long it is.
    /// - Returns: the answer's head, and its body to be read.
    func execute(_ request: HTTPClientRequest, isBounded: Bool) async throws -> HTTPClientResponse {
        let way = try way(to: request.url)
        let client = try client(Route(way: way, isBounded: isBounded))
        guard case .forward(let proxy) = way else { return try await client.execute(request, deadline: .distantFuture) }
        let response = try await client.execute(Self.request(request, by: proxy), deadline: .distantFuture)
        guard response.status != .proxyAuthenticationRequired else { throw HTTPFailure.unreachable(HTTPFailure.proxyPasswordClause) }
        return response
    }

    /// The proxy for a URL, for messages; nil without one.
    func proxy(for url: String) -> ProxyAddress? {
        // A proxy that cannot be used was the failure itself.
        (try? configuration.proxies.proxy(for: url))?.address
    }

    /// Closes every connection.
    /// - Throws: if that was done already.
    func shutdown() async throws {
        let open = clients.withLock { clients in
            defer { clients = nil }
            return clients
        }
        guard let open else { throw HTTPClientError.alreadyShutdown }
        for client in open.values { try await client.shutdown() }
    }

    private func way(to url: String) throws(HTTPFailure) -> Way {
        do {
            guard let proxy = try configuration.proxies.proxy(for: url)?.address else { return .direct }
            let isPlain = ServerAddress(url)?.isSecure == false
            return isPlain && proxy.kind == .http ? .forward(proxy) : .tunnel(proxy)
        } catch {
            throw HTTPFailure.unsendable(error.message)
        }
    }

    private func client(_ route: Route) throws(HTTPFailure) -> HTTPClient {
        let client = clients.withLock { clients -> HTTPClient? in
            if let client = clients?[route] { return client }
            guard clients != nil else { return nil }
            let client = make(route)
            clients?[route] = client
            return client
        }
        guard let client else { throw HTTPFailure.shutDown(hasBegun: false) }
        return client
    }

    private func make(_ route: Route) -> HTTPClient {
        var http = HTTPClient.Configuration()
        http.tlsConfiguration = configuration.tls?.configuration
        http.redirectConfiguration = .disallow
        http.timeout.connect = .milliseconds(max(1, configuration.connectTimeout))
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, configuration.poolSize)
        // The client's own retries say nothing until the connect timeout, and then report only the timeout.
        http.connectionPool.retryConnectionEstablishment = false
        http.connectionPool.idleTimeout = .milliseconds(HTTPTransport.Configuration.idleTimeout)
        http.httpVersion = .automatic
        http.decompression = .enabled(limit: route.isBounded ? .size(configuration.maxAnswerBytes) : .none)
        switch route.way {
        case .direct: break
        case .tunnel(let proxy):
            switch proxy.kind {
            case .http: http.proxy = .server(host: proxy.host, port: proxy.port, authorization: proxy.authorization)
            case .socks5: http.proxy = .socksServer(host: proxy.host, port: proxy.port)
            }
        case .forward(let proxy): http.http1_1ConnectionDebugInitializer = { AbsoluteForm.add(to: $0, proxy.authorization) }
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
    }

    /// The request as it is sent to a proxy that reads it: the connection leads to the proxy, and the server's name stands in `host`.
    private static func request(_ request: HTTPClientRequest, by proxy: ProxyAddress) -> HTTPClientRequest {
        guard let mark = request.url.firstRange(of: "://") else { return request }
        let authority = request.url[mark.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority[(authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex)...]
        var sent = request
        sent.url = "http://\(proxy.authority)\(request.url[authority.endIndex...])"
        sent.headers.replaceOrAdd(name: "host", value: String(host))
        return sent
    }
}

extension ProxyAddress {
    fileprivate var authorization: HTTPClient.Authorization? {
        user.map { .basic(username: $0, password: password) }
    }
}

/// Puts the whole address into the request line, as a proxy that reads requests needs it (RFC 9112, 3.2.2).
private final class AbsoluteForm: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let authorization: HTTPClient.Authorization?

    private init(_ authorization: HTTPClient.Authorization?) {
        self.authorization = authorization
    }

    /// Adds it to a connection, between the client and what writes requests as bytes.
    static func add(to channel: any Channel, _ authorization: HTTPClient.Authorization?) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.context(handlerType: HTTPRequestEncoder.self).handler
            try pipeline.addHandler(AbsoluteForm(authorization), position: .after(encoder))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), let host = head.headers.first(name: "host") else {
            return context.write(data, promise: promise)
        }
        head.uri = "http://\(host)\(head.uri)"
        if let authorization { head.headers.replaceOrAdd(name: "proxy-authorization", value: authorization.headerValue) }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
