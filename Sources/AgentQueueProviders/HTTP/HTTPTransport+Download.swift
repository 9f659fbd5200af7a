import AgentQueueModel
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension HTTPTransport {
    /// Sends a GET, and hands on the body of a good answer piece by piece, however long it is: no more is read than `onPart` has taken. Any
    /// other answer is read whole, as by ``send(_:before:)``. Nothing is retried.
    ///
    /// Cancelling the task aborts the request and closes its connection (or its HTTP/2 stream).
    /// - Parameters:
    ///   - deadline: when to give up; the last piece must have arrived by then.
    ///   - onPart: called with each piece, in order. If it throws, reading ends.
    /// - Returns: the answer, without a body if that was handed on.
    /// - Throws: what `onPart` throws, except an ``HTTPFailure``, which is returned.
    func download(
        _ url: String, headers: HTTPHeaders, before deadline: ContinuousClock.Instant, _ onPart: ([UInt8]) async throws -> Void
    ) async throws -> Result<HTTPAnswer, HTTPFailure> {
        if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
        let (pieces, sender) = AsyncStream<[UInt8]>.makeStream()
        // One is given for each piece taken, so that at most one piece waits.
        let (credits, giver) = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Result<HTTPAnswer, HTTPFailure>.self) { group in
            group.addTask {
                defer { sender.finish() }
                return await self.read(url, headers, sender, credits)
            }
            group.addTask {
                defer { sender.finish() }
                do {
                    try await CallTimer.sleep(until: deadline)
                    return .failure(.timedOut(hasBegun: false))
                } catch {
                    return .failure(.cancelled(hasBegun: false))
                }
            }
            defer { group.cancelAll() }
            for await piece in pieces {
                do { try await onPart(piece) } catch let failure as HTTPFailure { return .failure(failure) }
                giver.yield()
            }
            return try await group.next() ?? .failure(.cancelled(hasBegun: false))
        }
    }

    private func read(
        _ url: String, _ headers: HTTPHeaders, _ sender: AsyncStream<[UInt8]>.Continuation, _ credits: AsyncStream<Void>
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        let request = Self.request("GET", url, headers)
        var hasHead = false
        do {
            let response = try await clients.execute(request, isBounded: false)
            hasHead = true
            try Self.checkEncoding(of: response)
            var answer = HTTPAnswer(status: Int(response.status.code), headers: response.headers)
            let isGood = (200..<300).contains(answer.status)
            var credits = credits.makeAsyncIterator()
            for try await part in response.body {
                if isGood {
                    sender.yield(Array(part.readableBytesView))
                    _ = await credits.next()
                } else {
                    guard answer.body.count + part.readableBytes <= configuration.maxAnswerBytes else {
                        return .failure(.tooLarge(limit: configuration.maxAnswerBytes))
                    }
                    answer.body.append(contentsOf: part.readableBytesView)
                }
                if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
            }
            // An aborted body may also end as if it were complete.
            return Task.isCancelled ? .failure(.cancelled(hasBegun: false)) : .success(answer)
        } catch {
            if Task.isCancelled { return .failure(.cancelled(hasBegun: false)) }
            // After the answer's head, an error means that the connection broke.
            return .failure(
                HTTPFailure(error, bodyBegun: hasHead, maxAnswerBytes: configuration.maxAnswerBytes).through(clients.proxy(for: url)))
        }
    }
}
