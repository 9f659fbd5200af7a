import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// What every request goes through: host and origin, route, key, scope, size; then its handler; then the log.
final class RequestHandler: Sendable {
    let table: RouteTable
    private let connections: Connections
    private let hosts: HostCheck
    private let keys: KeyRing
    private let memory: BodyMemory
    private let maxBody: Int
    private let scheme: String
    private let proxies: [AddressRange]
    private let isStopping: @Sendable () -> Bool
    private let dates = HTTPDate()
    private let metrics: RequestMetrics
    private let logger: Logger

    init(
        table: RouteTable, connections: Connections, keys: KeyRing, memory: BodyMemory, settings: ServeSettings,
        metrics: RequestMetrics, isStopping: @escaping @Sendable () -> Bool, logger: Logger
    ) {
        self.table = table
        self.connections = connections
        self.keys = keys
        self.memory = memory
        self.isStopping = isStopping
        self.metrics = metrics
        self.logger = logger
        hosts = HostCheck(settings)
        maxBody = Int(settings.maxBody)
        scheme = settings.tls.certificate == nil ? "http" : "https"
        proxies = settings.trustedProxies
    }

    /// An answer was begun and not finished: the connection closes without the last chunk.
    private struct Cut: Error {}

    /// What is learned about a request while it is handled.
    private struct Visit {
        let id = RequestID.random()
        let arrivedAt = ContinuousClock.now
        var route: Route?
        var caller: Caller?
        var failure: (any Error)?
    }

    /// Answers one request.
    /// - Throws: to close the connection.
    func respond(to request: Request, _ server: consuming HummingbirdCore.ResponseWriter, on channel: any Channel) async throws {
        // Nobody is there any more.
        guard let client = connections.client(of: channel) else { throw Cut() }
        var visit = Visit()
        let path = table.path(of: request.head.path ?? "/")
        let flavour = Self.flavour(request.headers, path)
        let source = bodySource(request, mayBeUnannounced: channel.isHTTP2Stream)
        let response = ResponseWriter(
            server, id: visit.id, isHead: request.method == .head, common: commonFields(visit.id)
        ) { source.isConsumed }
        let notes = ExchangeNotes()
        do {
            try await answer(request, path, flavour, client, source, response, notes, &visit)
            if !response.hasBegun { throw NothingAnswered() }
            if !response.progress.isFinished { throw Cut() }
        } catch {
            visit.failure = error
        }
        client.presence.onDeparture(nil)
        let isCut = response.hasBegun && !response.progress.isFinished
        if let error = visit.failure, !response.hasBegun {
            let answer = GatewayError(answering: error)
            // A client that has gone does not read it.
            try? await response.send(
                answer.status(flavour), answer.fields(), body: answer.body(flavour, requestID: visit.id.description))
        }
        log(visit, response.progress, notes.values, isCut: isCut)
        if let caller = visit.caller, caller.keyID > 0 {
            // A failure is harmless: when a key was last used is only shown.
            try? await keys.touch(caller)
        }
        if isCut || !response.progress.isFinished { throw Cut() }
    }

    private func answer(
        _ request: Request, _ path: String, _ flavour: APIFlavour, _ client: Connections.Client, _ source: RequestBodySource,
        _ response: ResponseWriter, _ notes: ExchangeNotes, _ visit: inout Visit
    ) async throws {
        if client.isSurplus {
            throw GatewayError(.overloaded, "There are too many connections to the gateway: send the request again in a second.")
        }
        if !client.isUnixSocket {
            try checkHost(request)
            try hosts.check(host: request.head.authority, address: client.localAddress)
            if let origin = request.headers[.origin], try hosts.check(origin: origin, host: request.head.authority) {
                response.add(Self.crossOrigin(origin))
                if request.method == .options { return try await answerPreflight(path, response) }
            }
        }
        let match = try table.match(request.method, path)
        let route = match.route
        visit.route = route
        let caller = try route.scope.map { scope in
            let caller = try keys.caller(request.headers, address: address(of: client, request), isTrusted: client.isUnixSocket)
            guard caller.allows(scope) else {
                throw GatewayError(.forbidden, "The key does not allow this: use one with the scope '\(scope.rawValue)'.")
            }
            return caller
        }
        visit.caller = caller
        try checkContent(request, route)
        if isStopping(), route.scope != nil, route.method == .post {
            throw GatewayError(.shuttingDown, "The gateway is stopping: send the request again in a few seconds.")
        }
        let head = RequestHead(
            id: visit.id, method: request.method, path: path, parameters: match.parameters,
            query: RouteTable.query(of: request.head.path ?? ""), headers: request.headers, flavour: flavour, caller: caller ?? .local,
            address: client.isUnixSocket ? nil : request.head.authority.map { "\(scheme)://\($0)" }, arrivedAt: visit.arrivedAt)
        try await route.handler(Exchange(head: head, response: response, presence: client.presence, notes: notes, source: source))
    }

    /// A handler returned without an answer.
    private struct NothingAnswered: Error {}

    // MARK: Checks

    /// What reads the request before us, such as a proxy, might take the other one.
    private func checkHost(_ request: Request) throws(GatewayError) {
        guard let name = HTTPField.Name("host"), !request.headers[values: name].allSatisfy({ $0 == request.head.authority }) else { return }
        throw GatewayError(.malformed, "The request names several hosts: send one Host header.")
    }

    private func checkContent(_ request: Request, _ route: Route) throws(GatewayError) {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw GatewayError(.unsupportedMediaType, "The gateway takes no compressed bodies: send this one without content-encoding.")
        }
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        switch route.content {
        case .none: break
        case .json:
            guard type == "application/json" else {
                throw GatewayError(.unsupportedMediaType, "The body must be JSON: send it with content-type: application/json.")
            }
        case .form:
            guard type == "multipart/form-data" else {
                throw GatewayError(.unsupportedMediaType, "The body must be a form: send it with content-type: multipart/form-data.")
            }
        }
    }

    /// - Parameter mayBeUnannounced: whether there may be a body that no header tells of, as with HTTP/2.
    private func bodySource(_ request: Request, mayBeUnannounced: Bool) -> RequestBodySource {
        let headers = request.headers
        let hasNone = headers[.contentLength] == nil && headers[.transferEncoding] == nil && !mayBeUnannounced
        return RequestBodySource(
            request.body, length: headers[.contentLength].flatMap { Int($0) } ?? (hasNone ? 0 : nil),
            isAwaited: headers[.expect]?.lowercased() == "100-continue", limit: maxBody, memory: memory)
    }

    /// The address of the sender of a request, which a trusted proxy reports.
    private func address(of client: Connections.Client, _ request: Request) -> IPAddress? {
        guard var address = client.address, !proxies.isEmpty, let name = HTTPField.Name("x-forwarded-for"),
            let chain = request.headers[name]
        else { return client.address }
        for hop in chain.split(separator: ",").reversed() {
            guard proxies.contains(where: { $0.contains(address) }), let before = IPAddress(hop.filter { $0 != " " }) else { break }
            address = before
        }
        return address
    }

    /// By the header that all clients of Anthropic's API send, or else by the path.
    static func flavour(_ headers: HTTPFields, _ path: String) -> APIFlavour {
        if let name = HTTPField.Name("anthropic-version"), headers.contains(name) { return .anthropic }
        return path == "/v1/messages" || path.hasPrefix("/v1/messages/") ? .anthropic : .openAI
    }

    // MARK: Headers

    private func commonFields(_ id: RequestID) -> HTTPFields {
        var fields = HTTPFields()
        fields[.date] = dates.now()
        id.add(to: &fields)
        return fields
    }

    private static func crossOrigin(_ origin: String) -> HTTPFields {
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = origin
        fields[.vary] = "Origin"
        fields[.accessControlExposeHeaders] = "x-request-id, request-id, x-should-retry, retry-after, retry-after-ms"
        return fields
    }

    private func answerPreflight(_ path: String, _ response: ResponseWriter) async throws {
        var fields = HTTPFields()
        fields[.accessControlAllowMethods] = table.methods(path)
        fields[.accessControlAllowHeaders] = "*, authorization"
        fields[.accessControlMaxAge] = "600"
        try await response.send(204, fields, body: [])
    }

    // MARK: Log

    private func log(_ visit: Visit, _ progress: ResponseWriter.Progress, _ notes: ExchangeNotes.Values, isCut: Bool) {
        let now = ContinuousClock.now
        func milliseconds(_ duration: Duration) -> Logger.MetadataValue { .stringConvertible(duration.milliseconds) }
        var fields: Logger.Metadata = [
            "id": .stringConvertible(visit.id), "status": .stringConvertible(progress.status ?? 0),
            "bytes": .stringConvertible(progress.bytes),
            "total_ms": milliseconds(visit.arrivedAt.duration(to: now)), "route": .string(visit.route?.path ?? "none"),
        ]
        fields["key"] = visit.caller.map { .string($0.name) }
        fields["job"] = notes.job.map { .stringConvertible($0) }
        fields["target"] = notes.target.map { .string($0) }
        fields["cache"] = notes.cache.map { .string($0) }
        fields["wait_ms"] = notes.wait.map(milliseconds)
        fields["first_byte_ms"] = progress.firstByteAt.map { milliseconds(visit.arrivedAt.duration(to: $0)) }
        if notes.attached != nil { fields["attached"] = "true" }
        fields["outcome"] = (notes.outcome ?? (isCut ? "cut" : nil)).map { .string($0) }
        logger.info("request", metadata: fields)
        let duration = visit.arrivedAt.duration(to: now)
        metrics.add(
            RequestMetrics.Request(
                route: visit.route?.path, status: progress.status, duration: duration,
                firstByte: progress.firstByteAt.map { visit.arrivedAt.duration(to: $0) },
                wait: visit.caller.flatMap { caller in notes.wait.map { (caller.queue, $0) } }, attached: notes.attached, call: notes.call,
                outcome: notes.outcome ?? (isCut ? "cut" : nil)))
        guard let failure = visit.failure, !(failure is Cut), !Self.isOfConnection(failure), GatewayError.isUnexpected(failure) else {
            return
        }
        logger.error("A request failed.", metadata: ["id": .stringConvertible(visit.id), "error": .string("\(failure)")])
    }
}

extension RequestHandler {
    /// Whether an error says only that the connection is gone.
    private static func isOfConnection(_ error: any Error) -> Bool {
        error is ChannelError || error is IOError || error is NIOAsyncWriterError
    }
}

/// The value of the Date header, made once a second.
final class HTTPDate: Sendable {
    private let state = Mutex((second: Int(0), text: ""))

    func now() -> String {
        let second = Int(Date().timeIntervalSince1970)
        return state.withLock { state in
            if state.second != second { state = (second, Self.text(second)) }
            return state.text
        }
    }

    static func text(_ second: Int) -> String {
        var time = time_t(second)
        var parts = tm()
        gmtime_r(&time, &parts)
        var bytes = [CChar](repeating: 0, count: 40)
        // The C locale is the process's own unless it calls setlocale, which no part of the programs does.
        let length = strftime(&bytes, bytes.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
