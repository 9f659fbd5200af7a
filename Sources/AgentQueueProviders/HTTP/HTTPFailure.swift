import AgentQueueModel
import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import NIOPosix

/// Why there is no complete HTTP answer. The clauses never contain a header's value.
package enum HTTPFailure: Error, Sendable, Equatable {
    /// The deadline passed. Says whether the request had begun to leave.
    case timedOut(hasBegun: Bool)
    /// The task was cancelled. Says whether the request had begun to leave.
    case cancelled(hasBegun: Bool)
    /// The transport was shut down. Says whether the request had begun to leave.
    case shutDown(hasBegun: Bool)
    /// The answer is longer than the limit.
    case tooLarge(limit: Int)
    /// The answer came in an encoding that was not asked for, such as `br`.
    case encoded(String)
    /// No connection was made, so nothing was sent. The clause says why.
    case unreachable(String)
    /// This process could not make a connection, and the server has nothing to do with it. Nothing was sent. The clause says why.
    case exhausted(String)
    /// A stream's next byte, or its first, did not come in time, in ms. Says whether the request had begun to leave.
    case stalled(after: Int64, hasBegun: Bool)
    /// The server's certificate is not trusted. Nothing was sent.
    case untrusted(String)
    /// The connection broke after the request had begun to leave. The clause says how.
    case broken(String)
    /// The request cannot be sent as it is. The clause says why.
    case unsendable(String)

    /// Reads an error of the HTTP client.
    /// - Parameters:
    ///   - bodyBegun: whether any byte of the request's body was sent.
    ///   - maxAnswerBytes: the longest answer that is read.
    init(_ error: any Error, bodyBegun: Bool, maxAnswerBytes: Int) {
        switch error {
        case let error as HTTPFailure: self = error
        case is CancellationError: self = .shutDown(hasBegun: bodyBegun)
        case let error as HTTPClientError: self.init(error, bodyBegun: bodyBegun)
        case NIOHTTPDecompression.DecompressionError.limit: self = .tooLarge(limit: maxAnswerBytes)
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            self = .broken("its compressed answer cannot be decoded")
        default:
            let clause = Self.clause(error)
            if !bodyBegun, let shortage = ProcessShortage.reason(of: error) {
                self = .exhausted(shortage)
            } else if clause == Self.untrustedClause {
                self = .untrusted(clause)
            } else {
                self = bodyBegun ? .broken(clause) : .unreachable(clause)
            }
        }
    }

    private init(_ error: HTTPClientError, bodyBegun: Bool) {
        switch error {
        // Cancellation of our task is found by the task itself. This is the client's own.
        case .cancelled, .alreadyShutdown: self = .shutDown(hasBegun: bodyBegun)
        case .deadlineExceeded: self = .timedOut(hasBegun: bodyBegun)
        case .invalidURL, .emptyHost, .emptyScheme: self = .unsendable("its base URL is not one")
        case .connectTimeout: self = .unreachable("connecting took too long")
        case .tlsHandshakeTimeout: self = .unreachable("the TLS handshake took too long")
        case .getConnectionFromPoolTimeout: self = .exhausted("other calls hold every connection to it")
        case .remoteConnectionClosed, .uncleanShutdown:
            self = bodyBegun ? .broken("the connection was closed before the answer was whole") : .unreachable("the connection was closed")
        case .proxyAuthenticationRequired: self = .unreachable(Self.proxyPasswordClause)
        case .invalidProxyResponse: self = .unreachable("the proxy refuses to connect to it")
        case .httpProxyHandshakeTimeout, .socksHandshakeTimeout: self = .unreachable("the proxy took too long to connect to it")
        default:
            // Its own description may quote a header's value.
            let name = error.shortDescription
            if name.contains("header") || name.contains("Header") || name.contains("scheme") {
                self = .unsendable("a header or the base URL holds what HTTP does not allow (a line break in the key?)")
            } else {
                self = bodyBegun ? .broken("the HTTP exchange failed") : .unreachable("the HTTP exchange failed")
            }
        }
    }

    /// What a proxy says that wants a user and a password, or others.
    static let proxyPasswordClause = "the proxy asks for a user and a password that it accepts"

    private static let untrustedClause = "its TLS certificate is not trusted"

    private static func clause(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return clause(first.error) }
            if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host's name cannot be resolved" }
            return "the connection failed"
        case let error as IOError:
            return clause(errno: error.errnoCode)
        case let error as ChannelError:
            if case .connectTimeout = error { return "connecting took too long" }
            return "the connection was closed"
        default:
            // What BoringSSL says stands only in the texts of NIOSSL's errors.
            guard String(reflecting: type(of: error)).hasPrefix("NIOSSL") else { return "the connection failed" }
            let text = String(describing: error)
            if text.contains("CERTIFICATE") || text.contains("ertificate") { return untrustedClause }
            return "the TLS handshake failed"
        }
    }

    private static func clause(errno code: CInt) -> String {
        switch code {
        case 111, 61: "connection refused"
        case 104, 54, 32: "connection reset"
        case 110, 60: "connecting took too long"
        case 101, 113, 51, 65: "no route to the host"
        default: "the connection failed (errno \(code))"
        }
    }

    /// Whether the request had begun to leave, so that the server may have acted on it. A request without a body never counts, because it
    /// costs nothing.
    package var hasBegun: Bool {
        switch self {
        case .timedOut(let hasBegun), .cancelled(let hasBegun), .shutDown(let hasBegun), .stalled(_, let hasBegun): hasBegun
        case .tooLarge, .encoded, .broken: true
        case .unreachable, .exhausted, .untrusted, .unsendable: false
        }
    }

    /// Whether no connection was made, for whatever reason but its certificate.
    var isWithoutConnection: Bool {
        switch self {
        case .unreachable, .exhausted: true
        default: false
        }
    }

    /// The failure with the proxy that a connection would have led through.
    func through(_ proxy: ProxyAddress?) -> HTTPFailure {
        guard let proxy else { return self }
        let way = " (through the proxy \(proxy.shown))"
        switch self {
        case .unreachable(let clause): return .unreachable(clause + way)
        case .untrusted(let clause): return .untrusted(clause + way)
        default: return self
        }
    }

    /// The failure with what is known about the request once the exchange has ended.
    /// - Parameter hasBody: whether there was anything to send beyond the head.
    func after(_ progress: SendProgress, hasBody: Bool) -> HTTPFailure {
        switch self {
        case .timedOut where hasBody && !progress.hasBegun, .stalled where hasBody && !progress.hasBegun:
            .unreachable("no connection opened before the call's timeout")
        case .timedOut: .timedOut(hasBegun: progress.hasBegun)
        case .stalled(let wait, _): .stalled(after: wait, hasBegun: progress.hasBegun)
        case .cancelled: .cancelled(hasBegun: progress.hasBegun)
        case .shutDown: .shutDown(hasBegun: progress.hasBegun)
        default: self
        }
    }

    /// The failure of a call; `isMaybePaid` if the request had begun to leave.
    /// - Parameters:
    ///   - url: the provider's base URL, without anything secret.
    ///   - timeout: the call's timeout, in ms.
    func modelFailure(of url: String, timeout: Int64) -> ModelFailure {
        var failure: ModelFailure =
            switch self {
            case .timedOut: ModelFailure(.timedOut, "\(url) had not answered after \(Self.seconds(timeout))")
            case .cancelled: ModelFailure(.cancelled, "the call to \(url) was cancelled")
            case .shutDown: ModelFailure(.shutdown, "the worker stopped before \(url) had answered")
            case .tooLarge(let limit): ModelFailure(.invalidReply, "\(url) sent an answer of more than \(limit >> 20) MiB")
            case .encoded(let name):
                ModelFailure(.retryable, "\(url) sent an answer in the encoding \(name), which was not asked for (gzip and deflate are)")
            case .unreachable(let clause), .untrusted(let clause):
                ModelFailure(.unreachable, "\(url) cannot be reached: \(clause)", scope: .provider)
            case .exhausted(let clause): ModelFailure.notConnected("\(url) was not called: \(clause)")
            case .stalled(let wait, _): ModelFailure(.timedOut, "\(url) had sent nothing for \(Self.seconds(wait))")
            case .broken(let clause): ModelFailure(.retryable, "the call to \(url) broke off: \(clause)")
            case .unsendable(let clause): ModelFailure.unsent("\(url) cannot be called: \(clause)")
            }
        failure.isMaybePaid = hasBegun
        return failure
    }

    /// To a tenth of a second: a call has what is left of its time.
    private static func seconds(_ milliseconds: Int64) -> String {
        DurationText.format(.milliseconds((max(0, milliseconds) + 50) / 100 * 100))
    }
}
