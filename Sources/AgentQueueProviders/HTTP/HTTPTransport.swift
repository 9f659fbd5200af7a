import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// The one HTTP client that all providers share.
///
/// It keeps connections open per host, verifies certificates, speaks HTTP/2 where the server offers it, and follows no
/// redirects. It repeats nothing but a connection that failed before any byte of the request's body was sent: every
/// other repetition is the queue's, on record. Call ``shutdown()`` before letting go of it.
package final class HTTPTransport: Sendable {
    /// Its bounds.
    package let configuration: Configuration
    let client: HTTPClient

    /// Opens no connection yet.
    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        var http = HTTPClient.Configuration()
        http.redirectConfiguration = .disallow
        http.timeout.connect = .milliseconds(max(1, configuration.connectTimeout))
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, configuration.poolSize)
        // Its own retry goes on in silence until the connect timeout, and then tells of the timeout only.
        http.connectionPool.retryConnectionEstablishment = false
        http.connectionPool.idleTimeout = .milliseconds(Configuration.idleTimeout)
        http.httpVersion = .automatic
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
    }

    /// Closes every connection, calls under way included, which then fail as ``HTTPFailure/shutDown``.
    /// - Throws: where it is shut down already.
    package func shutdown() async throws {
        try await client.shutdown()
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// Cancelling the task aborts the request and closes its connection (or its HTTP/2 stream).
    /// - Parameters:
    ///   - call: what to send.
    ///   - deadline: when to give up: connecting, its retries, sending, and the answer's last byte are all due by then.
    package func send(_ call: HTTPCall, before deadline: ContinuousClock.Instant) async -> Result<HTTPAnswer, HTTPFailure> {
        await run(call, before: deadline, nil)
    }

    /// Sends a request, and hands on a stream of events as it comes: the body of a good answer of type `text/event-stream`
    /// goes to `onPart` piece by piece, and is empty in the answer returned. Any other answer is read whole, as by
    /// ``send(_:before:)``, whose bounds hold here too.
    /// - Parameters:
    ///   - call: what to send.
    ///   - deadline: when to give up: connecting, its retries, sending, and the answer's last byte are all due by then.
    ///   - onPart: is told of each piece, in order, and of none once this has returned. It should take no long time.
    ///   - onHead: is told status and headers of an answer that goes to `onPart`, before its first piece: all there is of it if
    ///     it breaks off.
    package func receive(
        _ call: HTTPCall, before deadline: ContinuousClock.Instant, onPart: @escaping @Sendable ([UInt8]) -> Void,
        onHead: @escaping @Sendable (HTTPAnswer) -> Void = { _ in }
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        await run(call, before: deadline, Listener(onHead: onHead, onPart: onPart))
    }

    /// Who hears of a stream of events.
    private struct Listener: Sendable {
        var onHead: @Sendable (HTTPAnswer) -> Void
        var onPart: @Sendable ([UInt8]) -> Void
    }

    private func run(
        _ call: HTTPCall, before deadline: ContinuousClock.Instant, _ listener: Listener?
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
        let progress = SendProgress()
        // The client's own deadline ends with the answer's head: hence a clock of ours beside the exchange.
        let result = await withTaskGroup(of: Result<HTTPAnswer, HTTPFailure>.self) { group in
            group.addTask { await self.exchange(call, progress, listener) }
            group.addTask {
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return .failure(.timedOut(hasBegun: false))
                } catch {
                    return .failure(.cancelled(hasBegun: false))
                }
            }
            let first = await group.next() ?? .failure(.cancelled(hasBegun: false))
            group.cancelAll()
            return first
        }
        // Known for sure only now that the exchange has ended.
        return result.mapError { $0.after(progress) }
    }

    private func exchange(_ call: HTTPCall, _ progress: SendProgress, _ listener: Listener?) async -> Result<HTTPAnswer, HTTPFailure> {
        var retries = 0
        while true {
            do {
                return .success(try await attempt(call, progress, listener))
            } catch {
                if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
                let failure = HTTPFailure(error, bodyBegun: progress.hasBegun)
                guard case .unreachable = failure, retries < configuration.maxRetries else { return .failure(failure) }
                retries += 1
                do {
                    try await Task.sleep(for: .milliseconds(Self.wait(beforeRetry: retries, jitter: .random(in: 0...1))))
                } catch {
                    return .failure(.cancelled(hasBegun: false))
                }
            }
        }
    }

    /// 50 to 100 ms before the first retry, and twice that before each further one, up to 1 to 2 s.
    /// - Parameter jitter: 0 to 1.
    static func wait(beforeRetry retry: Int, jitter: Double) -> Int64 {
        let longest = min(100 << max(0, min(retry - 1, 10)), 2_000)
        return Int64(Double(longest) * (0.5 + 0.5 * jitter))
    }

    private func attempt(_ call: HTTPCall, _ progress: SendProgress, _ listener: Listener?) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: call.url)
        request.method = HTTPMethod(rawValue: call.method)
        request.headers = call.headers
        if let body = call.body {
            request.body = .stream(WatchedBody(bytes: body, progress: progress), length: .known(Int64(body.count)))
        }
        let response = try await client.execute(request, deadline: .distantFuture)
        let limit = configuration.maxAnswerBytes
        if let announced = response.headers.first(name: "content-length").flatMap({ Int($0) }), announced > limit {
            throw HTTPFailure.tooLarge(limit: limit)
        }
        var answer = HTTPAnswer(status: Int(response.status.code), headers: response.headers)
        let listener = answer.isEventStream ? listener : nil
        listener?.onHead(answer)
        var count = 0
        for try await part in response.body {
            count += part.readableBytes
            guard count <= limit else { throw HTTPFailure.tooLarge(limit: limit) }
            if let listener {
                if Task.isCancelled { break }
                listener.onPart(Array(part.readableBytesView))
            } else {
                answer.body.append(contentsOf: part.readableBytesView)
            }
        }
        // An aborted body may also end as if it were whole.
        if Task.isCancelled { throw HTTPFailure.cancelled(hasBegun: false) }
        return answer
    }
}

extension HTTPTransport {
    /// The bounds of the HTTP client.
    package struct Configuration: Sendable, Equatable {
        /// Most open HTTP/1.1 connections to one host; 100 by default. A call beyond them waits for one to become free, as
        /// long as for a connection to open.
        package var poolSize: Int
        /// How long opening a connection may take, TLS included, in ms; 30,000 by default.
        package var connectTimeout: Int64
        /// Retries of a connection that failed before any byte of the body was sent; 3 by default.
        package var maxRetries: Int
        /// The longest answer read, in bytes; 64 MiB by default.
        package var maxAnswerBytes: Int

        /// How long a connection nobody uses is kept, in ms. Short, as a server that closes one just when a request is on
        /// its way costs an attempt.
        static let idleTimeout: Int64 = 20_000

        /// Makes bounds.
        package init(poolSize: Int = 100, connectTimeout: Int64 = 30_000, maxRetries: Int = 3, maxAnswerBytes: Int = 64 << 20) {
            self.poolSize = poolSize
            self.connectTimeout = connectTimeout
            self.maxRetries = maxRetries
            self.maxAnswerBytes = maxAnswerBytes
        }
    }
}

/// Whether any byte of a request's body has left.
final class SendProgress: Sendable {
    private let begun = Atomic(false)

    /// Notes the first byte.
    func begin() { begun.store(true, ordering: .releasing) }

    /// Whether the first byte was asked for by an open connection. Until then no server can have acted on the request.
    var hasBegun: Bool { begun.load(ordering: .acquiring) }
}

/// A request's body that notes when an open connection begins to take it. It goes out in pieces, so that a large one is not held twice.
struct WatchedBody: AsyncSequence, Sendable {
    let bytes: [UInt8]
    let progress: SendProgress

    /// The largest piece, in bytes.
    private static let pieceBytes = 1 << 20

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let progress: SendProgress

        mutating func next() async -> ByteBuffer? {
            progress.begin()
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(WatchedBody.pieceBytes) }
            return ByteBuffer(bytes: rest.prefix(WatchedBody.pieceBytes))
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes[...], progress: progress) }
}
