import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The clients of a transport, each made when it is first needed.
final class HTTPClients: Sendable {
    private let configuration: HTTPTransport.Configuration
    /// Nil once they are shut down.
    private let clients: Mutex<[Route: HTTPClient]?> = Mutex([:])

    /// What a client is for.
    private struct Route: Hashable {
        /// Whether an answer may be no longer than the transport's limit once it is decoded.
        var isBounded: Bool
    }

    init(_ configuration: HTTPTransport.Configuration) {
        self.configuration = configuration
    }

    /// The client for a request.
    /// - Parameter isBounded: false for an answer that is handed on piece by piece, however long it is.
    func client(isBounded: Bool) throws(HTTPFailure) -> HTTPClient {
        let route = Route(isBounded: isBounded)
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

    private func make(_ route: Route) -> HTTPClient {
        var http = HTTPClient.Configuration()
        http.redirectConfiguration = .disallow
        http.timeout.connect = .milliseconds(max(1, configuration.connectTimeout))
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, configuration.poolSize)
        // The client's own retries say nothing until the connect timeout, and then report only the timeout.
        http.connectionPool.retryConnectionEstablishment = false
        http.connectionPool.idleTimeout = .milliseconds(HTTPTransport.Configuration.idleTimeout)
        http.httpVersion = .automatic
        http.decompression = .enabled(limit: route.isBounded ? .size(configuration.maxAnswerBytes) : .none)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
    }
}
