import AgentQueueModel
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization

/// The HTTP client that all providers share.
///
/// It keeps connections open per host, verifies certificates, uses HTTP/2 if the server offers it, takes answers compressed by gzip or
/// deflate, and follows no redirects. It retries only a connection that failed before any byte of the request's body was sent: every
/// other retry is the queue's, on record. Call ``shutdown()`` before releasing it.
package final class HTTPTransport: Sendable {
    /// Its limits.
    package let configuration: Configuration
    let clients: HTTPClients

    /// Makes a client. No connection is opened yet.
    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        clients = HTTPClients(configuration)
    }

    /// Closes every connection, including those of calls in progress, which fail with ``HTTPFailure/shutDown``.
    /// - Throws: if it has been shut down already.
    package func shutdown() async throws {
        try await clients.shutdown()
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// Cancelling the task aborts the request and closes its connection (or its HTTP/2 stream).
    /// - Parameters:
    ///   - call: what to send.
    ///   - deadline: when to give up. Connecting with retries, sending, and the answer's last byte must be done by then.
    package func send(_ call: HTTPCall, before deadline: ContinuousClock.Instant) async -> Result<HTTPAnswer, HTTPFailure> {
        await run(call, before: deadline, nil)
    }

    /// Sends a request, and hands on a stream of events as it arrives: the body of a good answer of type `text/event-stream` goes to
    /// `onPart` piece by piece, and the answer returned has none. Any other answer is read whole, as by ``send(_:before:)``, whose limits
    /// apply here too.
    /// - Parameters:
    ///   - call: what to send.
    ///   - deadline: when to give up. Connecting with retries, sending, and the answer's last byte must be done by then.
    ///   - onPart: called with each piece, in order, and not after this has returned. It should return quickly.
    ///   - limits: how long the stream may be silent.
    ///   - onHead: called with status and headers of an answer that goes to `onPart`, before its first piece. If the answer breaks off,
    ///     there is nothing else.
    package func receive(
        _ call: HTTPCall, before deadline: ContinuousClock.Instant, limits: StreamLimits = StreamLimits(),
        onPart: @escaping @Sendable ([UInt8]) -> Void, onHead: @escaping @Sendable (HTTPAnswer) -> Void = { _ in }
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        await run(call, before: deadline, Listener(onHead: onHead, onPart: onPart, silence: StreamSilence(limits, now: .now)))
    }

    /// Receives a stream of events.
    private struct Listener: Sendable {
        var onHead: @Sendable (HTTPAnswer) -> Void
        var onPart: @Sendable ([UInt8]) -> Void
        var silence: StreamSilence
    }

    private func run(
        _ call: HTTPCall, before deadline: ContinuousClock.Instant, _ listener: Listener?
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
        let progress = SendProgress()
        let silence = listener?.silence
        // The client's own deadline covers only the answer's head, so a timer of ours runs beside the exchange.
        let result = await withTaskGroup(of: Result<HTTPAnswer, HTTPFailure>.self) { group in
            group.addTask { await self.exchange(call, progress, listener) }
            group.addTask {
                do {
                    while let look = silence?.nextLook(after: .now), look < deadline {
                        try await CallTimer.sleep(until: look)
                        if let wait = silence?.isTooLong(at: .now) { return .failure(.stalled(after: wait, hasBegun: false)) }
                    }
                    try await CallTimer.sleep(until: deadline)
                    return .failure(.timedOut(hasBegun: false))
                } catch {
                    return .failure(.cancelled(hasBegun: false))
                }
            }
            let first = await group.next() ?? .failure(.cancelled(hasBegun: false))
            group.cancelAll()
            return first
        }
        // Certain only now that the exchange has ended.
        return result.mapError { $0.after(progress, hasBody: call.body != nil) }
    }

    private func exchange(_ call: HTTPCall, _ progress: SendProgress, _ listener: Listener?) async -> Result<HTTPAnswer, HTTPFailure> {
        var retries = 0
        // Where packets are dropped, each try takes its whole time. The queue tries again, and other jobs may have the slot meanwhile.
        let lastRetry = ContinuousClock.now + .milliseconds(configuration.connectTimeout)
        while true {
            do {
                return .success(try await attempt(call, progress, listener))
            } catch {
                if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
                let failure = HTTPFailure(error, bodyBegun: progress.hasBegun, maxAnswerBytes: configuration.maxAnswerBytes)
                    .through(clients.proxy(for: call.url))
                guard failure.isWithoutConnection, retries < configuration.maxRetries, ContinuousClock.now < lastRetry else {
                    return .failure(failure)
                }
                retries += 1
                do {
                    try await Task.sleep(for: .milliseconds(Self.wait(beforeRetry: retries, jitter: .random(in: 0...1))))
                } catch {
                    return .failure(.cancelled(hasBegun: false))
                }
            }
        }
    }

    /// 50 to 100 ms before the first retry, then twice as long each time, up to 1 to 2 s.
    /// - Parameter jitter: 0 to 1.
    static func wait(beforeRetry retry: Int, jitter: Double) -> Int64 {
        let longest = min(100 << max(0, min(retry - 1, 10)), 2_000)
        return Int64(Double(longest) * (0.5 + 0.5 * jitter))
    }

    private func attempt(_ call: HTTPCall, _ progress: SendProgress, _ listener: Listener?) async throws -> HTTPAnswer {
        var request = Self.request(call.method, call.url, call.headers)
        if let body = call.body {
            request.body = .stream(WatchedBody(bytes: body, progress: progress), length: .known(Int64(body.count)))
        }
        let response = try await clients.execute(request, isBounded: true)
        try Self.checkEncoding(of: response)
        let limit = configuration.maxAnswerBytes
        if let announced = response.headers.first(name: "content-length").flatMap({ Int($0) }), announced > limit {
            throw HTTPFailure.tooLarge(limit: limit)
        }
        var answer = HTTPAnswer(status: Int(response.status.code), headers: response.headers)
        // An answer that is no stream comes when the model is done.
        if answer.isEventStream { listener?.silence.end(at: .now) } else { listener?.silence.ignore() }
        let listener = answer.isEventStream ? listener : nil
        listener?.onHead(answer)
        var count = 0
        do {
            for try await part in response.body {
                count += part.readableBytes
                guard count <= limit else { throw HTTPFailure.tooLarge(limit: limit) }
                if let listener {
                    if Task.isCancelled { break }
                    listener.silence.end(at: .now)
                    listener.onPart(Array(part.readableBytesView))
                } else {
                    answer.body.append(contentsOf: part.readableBytesView)
                }
            }
        } catch is NIOHTTPDecompression.ExtraDecompressionError
            where count == 0 && (answer.status == 204 || response.headers.first(name: "content-length") == "0")
        {
            // An empty body is whole without gzip's head and end.
        }
        // An aborted body may also end as if it were complete.
        if Task.isCancelled { throw HTTPFailure.cancelled(hasBegun: false) }
        return answer
    }
}

extension HTTPTransport {
    /// A request without a body that asks for the encodings which the client decodes.
    static func request(_ method: String, _ url: String, _ headers: HTTPHeaders) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers = headers
        request.headers.replaceOrAdd(name: "accept-encoding", value: "gzip, deflate")
        return request
    }

    /// Refuses an answer that the client hands on undecoded. It decodes a body that was encoded once, by gzip or deflate.
    static func checkEncoding(of response: HTTPClientResponse) throws(HTTPFailure) {
        let encodings = response.headers[canonicalForm: "content-encoding"].map { $0.lowercased() }
        let applied = encodings.filter { $0 != "identity" }
        guard let first = applied.first else { return }
        guard applied.count == 1, encodings.first == first, ["gzip", "deflate"].contains(first) else {
            throw HTTPFailure.encoded(InvalidText.printable(applied.joined(separator: ", "), limit: 60))
        }
    }
}

extension HTTPTransport {
    /// The limits of the HTTP client.
    package struct Configuration: Sendable, Equatable {
        /// How many HTTP/1.1 connections to one host may be open; 100 by default. Further calls wait for one, as long as for a connection
        /// to open.
        package var poolSize: Int
        /// How long opening a connection may take, TLS included, in ms; 30,000 by default.
        package var connectTimeout: Int64
        /// Retries of a connection that failed before any byte of the body was sent; 3 by default.
        package var maxRetries: Int
        /// The longest answer that is read, in bytes; 64 MiB by default.
        package var maxAnswerBytes: Int
        /// Which proxy leads to which server; none by default.
        package var proxies: ProxyRules
        /// What is trusted, and who this client is; nil for the system's certificates.
        package var tls: TLSIdentity?

        /// How long an unused connection is kept, in ms. Short, because a server that closes one while a request is on its way costs an
        /// attempt.
        static let idleTimeout: Int64 = 20_000

        /// Makes bounds.
        package init(
            poolSize: Int = 100, connectTimeout: Int64 = 30_000, maxRetries: Int = 3, maxAnswerBytes: Int = 64 << 20,
            proxies: ProxyRules = .direct, tls: TLSIdentity? = nil
        ) {
            self.poolSize = poolSize
            self.connectTimeout = connectTimeout
            self.maxRetries = maxRetries
            self.maxAnswerBytes = maxAnswerBytes
            self.proxies = proxies
            self.tls = tls
        }
    }
}

/// Whether any byte of a request's body has been sent.
final class SendProgress: Sendable {
    private let begun = Atomic(false)

    /// Notes that the first byte is being sent.
    func begin() { begun.store(true, ordering: .releasing) }

    /// Whether an open connection asked for the first byte. Before that no server can have acted on the request.
    var hasBegun: Bool { begun.load(ordering: .acquiring) }
}

/// A request's body that notes when an open connection begins to take it. It is sent in pieces, so that a large one is not in memory twice.
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
