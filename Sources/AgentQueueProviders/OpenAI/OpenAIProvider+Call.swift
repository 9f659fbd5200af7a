import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

extension OpenAIProvider {
    /// Calls an endpoint and returns a good answer's JSON.
    /// - Parameters:
    ///   - body: what to POST; nil for a GET.
    ///   - request: the request, no part of which may appear in an error message.
    ///   - stream: receives the answer's stream; nil for none. An answer that is not a stream is read all the same.
    ///   - native: the bytes to POST instead of `body`: a client's own.
    ///   - kept: what of the answer is kept as it came; nil for nothing.
    /// - Throws: `CallFailure` with a complete, redacted message.
    func call(
        _ path: String, _ body: JSONValue?, of request: JSONValue? = nil, _ limit: CallLimit, _ idempotencyKey: String?,
        stream: StreamedAnswer? = nil, native: [UInt8]? = nil, kept: KeptAnswer? = nil
    ) async throws(CallFailure) -> ServerAnswer {
        let call = HTTPCall(
            method: body == nil ? "GET" : "POST", url: connection.address(path),
            headers: headers(idempotencyKey, hasBody: body != nil, streams: stream != nil, closes: limit.isCheck),
            body: native ?? body?.utf8(sorted: false))
        let result: Result<HTTPAnswer, HTTPFailure>
        if let stream {
            result = await connection.transport.receive(
                call, before: limit.deadline, limits: connection.streams, onPart: stream.take, onHead: stream.begin)
        } else {
            result = await connection.transport.send(call, before: limit.deadline)
        }
        let redaction = { self.connection.redaction(of: [request ?? body].compactMap(\.self)) }
        if let stream, case .success(let answer) = result { stream.takeUnannounced(answer) }
        if let stream, let head = stream.head {
            return try answer(of: stream, head, result, limit, redaction, kept)
        }
        switch result {
        case .success(let answer): return try read(answer, isPaid: body != nil, redaction, kept)
        case .failure(let failure): throw CallFailure(connection.failure(failure, limit))
        }
    }

    /// Reads an answer that arrived whole.
    /// - Parameter isPaid: whether good answers are charged.
    private func read(
        _ answer: HTTPAnswer, isPaid: Bool, _ redaction: () -> Redaction, _ kept: KeptAnswer?
    ) throws(CallFailure) -> ServerAnswer {
        let parsed = Result { () throws(JSONError) in try JSONValue.parseLeniently(answer.body) }
        guard (200..<300).contains(answer.status) else {
            let error = (try? parsed.get()).flatMap { OpenAIError(body: $0) }
            var failure = failure(answer, error, redaction)
            failure.answer = kept?.error(answer, isKnown: error != nil, redaction())
            throw CallFailure(failure, status: answer.status, error: error)
        }
        let body: JSONValue
        switch parsed {
        case .success(let read): body = read
        case .failure(let error):
            let message = "\(connection.shown) answered \(answer.status) with what is \(error)"
            // It is not known whether the server or a proxy answered, and at what cost.
            throw CallFailure(
                ModelFailure(
                    .invalidReply, message, requestID: OpenAIErrorClass.requestID(answer.headers), calls: isPaid ? 1 : 0,
                    isMaybePaid: isPaid, limits: .openAI(answer.headers)))
        }
        if let error = OpenAIError.inside(body) {
            var failure = failure(answer, error, redaction)
            if let status = OpenAIErrorClass.status(of: error) {
                failure.answer = kept?.error(answer, status: status, isKnown: true, redaction())
            }
            throw CallFailure(failure, error: error)
        }
        var good = ServerAnswer(body: body, requestID: OpenAIErrorClass.requestID(answer.headers), limits: .openAI(answer.headers))
        if kept?.keepsReply == true { good.native = String(decoding: answer.body, as: UTF8.self) }
        return good
    }

    /// Reads an answer that arrived as a stream, whether it is complete or not.
    private func answer(
        of stream: StreamedAnswer, _ head: HTTPAnswer, _ result: Result<HTTPAnswer, HTTPFailure>, _ limit: CallLimit,
        _ redaction: () -> Redaction, _ kept: KeptAnswer?
    ) throws(CallFailure) -> ServerAnswer {
        if case .success = result { stream.end() }
        let assembler = stream.assembler
        /// A failure of the stream, with what it cost and what arrived of the answer.
        func broken(_ failure: ModelFailure, isMaybePaid: Bool) -> CallFailure {
            var failure = failure
            failure.requestID = OpenAIErrorClass.requestID(head.headers)
            failure.limits = .openAI(head.headers)
            failure.usage = OpenAIReply.usage(assembler.usage)
            failure.cost = OpenAIReply.cost(assembler.usage)
            failure.isMaybePaid = isMaybePaid
            failure.partialText = assembler.text.isEmpty ? nil : assembler.text
            return CallFailure(failure)
        }
        if let body = assembler.body, stream.failure == nil {
            if let error = OpenAIError.inside(body) {
                var failure = failure(head, error, redaction)
                if let status = OpenAIErrorClass.status(of: error) {
                    // As it would have come with a status of its own.
                    let said: JSONValue = ["error": body["error"] ?? body["choices"]?.array?.first?["error"] ?? body]
                    let answer = HTTPAnswer(status: status, headers: head.headers, body: said.utf8(sorted: false))
                    failure.answer = kept?.error(answer, isKnown: true, redaction())
                }
                throw broken(failure, isMaybePaid: assembler.hasBegun)
            }
            // A connection that breaks, or stays silent, after the last event does not matter.
            if !Self.isEnded(result) {
                var good = ServerAnswer(body: body, requestID: OpenAIErrorClass.requestID(head.headers), limits: .openAI(head.headers))
                if kept?.keepsReply == true { good.native = assembler.nativeBody?.text }
                return good
            }
        }
        if let failure = stream.failure { throw broken(connection.failure(failure, limit), isMaybePaid: true) }
        if let unreadable = assembler.unreadable, !stream.isCut, !Self.isEnded(result) {
            throw broken(ModelFailure(.invalidReply, "\(connection.shown) \(unreadable.words)"), isMaybePaid: true)
        }
        if case .failure(let failure) = result {
            throw broken(connection.failure(failure, limit), isMaybePaid: true)
        }
        throw broken(ModelFailure(.retryable, "\(connection.shown) ended its stream before the answer was whole"), isMaybePaid: true)
    }

    /// Whether we ended the call.
    private static func isEnded(_ result: Result<HTTPAnswer, HTTPFailure>) -> Bool {
        switch result {
        case .failure(.cancelled), .failure(.shutDown): true
        case .success, .failure: false
        }
    }

    private func failure(_ answer: HTTPAnswer, _ error: OpenAIError?, _ redaction: () -> Redaction) -> ModelFailure {
        OpenAIErrorClass.failure(answer, error: error, url: connection.shown, redaction: redaction(), now: now())
    }

    func headers(_ idempotencyKey: String?, hasBody: Bool, streams: Bool, closes: Bool) -> HTTPHeaders {
        var headers = connection.headers(hasBody: hasBody, streams: streams, closes: closes, idempotencyKey: idempotencyKey)
        if !connection.key.isEmpty {
            headers.add(name: "authorization", value: "Bearer \(connection.key)")
        } else if let basic = connection.basic {
            headers.add(name: "authorization", value: basic)
        }
        return headers
    }

    /// Completes a failure from reading an answer: a whole, redacted sentence, with what the answer's head says.
    func failure(_ failure: ModelFailure, of answer: ServerAnswer, to request: JSONValue?) -> ModelFailure {
        var failure = failure
        let redaction = connection.redaction(of: [request].compactMap(\.self))
        failure.message = Redaction.line("\(connection.shown) \(redaction.clean(failure.message))")
        failure.requestID = failure.requestID ?? answer.requestID
        failure.limits = answer.limits
        return failure
    }
}

/// A call without an answer, with what the server said, to tell whether the request must be written differently.
struct CallFailure: Error, Sendable {
    /// The failure of the call.
    var failure: ModelFailure
    /// The HTTP status; nil if there was none, or it was good.
    var status: Int?
    /// What the answer's body says. Never shown as it is.
    var error: OpenAIError?

    /// Makes a failure.
    init(_ failure: ModelFailure, status: Int? = nil, error: OpenAIError? = nil) {
        self.failure = failure
        self.status = status
        self.error = error
    }
}

/// A good answer: its JSON, whether it arrived whole or was assembled from a stream.
struct ServerAnswer: Sendable {
    /// The body.
    var body: JSONValue
    /// The server's id for the call.
    var requestID: String?
    /// What the headers say about rate limits.
    var limits: ObservedLimits?
    /// The body as the server wrote it, or would have in one piece; nil if it is not kept.
    var native: String?
}
