import AgentQueueModel
import NIOHTTP1

extension OpenAIProvider {
    /// Calls an endpoint and returns a good answer's JSON.
    /// - Parameters:
    ///   - body: what to POST; nil is a GET.
    ///   - request: what is asked, of which no error text may hold any part.
    ///   - stream: what listens to the answer's stream; nil asks for none. An answer that is none is read all the same.
    /// - Throws: `CallFailure`, its message whole and clean.
    func call(
        _ path: String, _ body: JSONValue?, of request: JSONValue? = nil, _ limit: CallLimit, _ idempotencyKey: String?,
        stream: StreamedAnswer? = nil
    ) async throws(CallFailure) -> ServerAnswer {
        let call = HTTPCall(
            method: body == nil ? "GET" : "POST", url: connection.address(path),
            headers: headers(idempotencyKey, hasBody: body != nil, streams: stream != nil, closes: limit.isCheck),
            body: body?.utf8(sorted: false))
        let result: Result<HTTPAnswer, HTTPFailure>
        if let stream {
            result = await connection.transport.receive(call, before: limit.deadline, onPart: stream.take, onHead: stream.begin)
        } else {
            result = await connection.transport.send(call, before: limit.deadline)
        }
        let redaction = { self.connection.redaction(of: [request ?? body].compactMap(\.self)) }
        if let stream, case .success(let answer) = result { stream.takeUnannounced(answer) }
        if let stream, let head = stream.head {
            return try answer(of: stream, head, result, limit, redaction)
        }
        switch result {
        case .success(let answer): return try read(answer, isPaid: body != nil, redaction)
        case .failure(let failure): throw CallFailure(connection.failure(failure, limit))
        }
    }

    /// Reads an answer that came whole.
    /// - Parameter isPaid: whether good answers are charged for.
    private func read(_ answer: HTTPAnswer, isPaid: Bool, _ redaction: () -> Redaction) throws(CallFailure) -> ServerAnswer {
        let parsed = Result { () throws(JSONError) in try JSONValue.parse(answer.body) }
        guard (200..<300).contains(answer.status) else {
            let error = (try? parsed.get()).flatMap { OpenAIError(body: $0) }
            throw CallFailure(failure(answer, error, redaction), status: answer.status, error: error)
        }
        guard case .success(let body) = parsed else {
            let message = "\(connection.shown) answered \(answer.status) with what is not valid JSON"
            // Who answered, the server or something before it, and at what cost, it does not say.
            throw CallFailure(
                ModelFailure(
                    .invalidReply, message, requestID: OpenAIErrorClass.requestID(answer.headers), calls: isPaid ? 1 : 0,
                    isMaybePaid: isPaid, limits: .openAI(answer.headers)))
        }
        if let error = OpenAIError.inside(body) { throw CallFailure(failure(answer, error, redaction), error: error) }
        return ServerAnswer(body: body, requestID: OpenAIErrorClass.requestID(answer.headers), limits: .openAI(answer.headers))
    }

    /// Reads an answer that came as a stream, whole or not.
    private func answer(
        of stream: StreamedAnswer, _ head: HTTPAnswer, _ result: Result<HTTPAnswer, HTTPFailure>, _ limit: CallLimit,
        _ redaction: () -> Redaction
    ) throws(CallFailure) -> ServerAnswer {
        if case .success = result { stream.end() }
        let assembler = stream.assembler
        /// What a stream that failed cost, and what of its answer there is.
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
                throw broken(failure(head, error, redaction), isMaybePaid: assembler.hasBegun)
            }
            // A connection that breaks, or stays silent, behind the last event takes nothing away.
            if !Self.isEnded(result) {
                return ServerAnswer(body: body, requestID: OpenAIErrorClass.requestID(head.headers), limits: .openAI(head.headers))
            }
        }
        if let failure = stream.failure { throw broken(connection.failure(failure, limit), isMaybePaid: true) }
        if case .failure(let failure) = result {
            throw broken(connection.failure(failure, limit), isMaybePaid: true)
        }
        throw broken(ModelFailure(.retryable, "\(connection.shown) ended its stream before the answer was whole"), isMaybePaid: true)
    }

    /// Whether the call was ended from this side.
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

    /// A reader's failure as a call's: a whole sentence, clean, with what the answer's head says.
    func failure(_ failure: ModelFailure, of answer: ServerAnswer, to request: JSONValue?) -> ModelFailure {
        var failure = failure
        let redaction = connection.redaction(of: [request].compactMap(\.self))
        failure.message = Redaction.line("\(connection.shown) \(redaction.clean(failure.message))")
        failure.requestID = failure.requestID ?? answer.requestID
        failure.limits = answer.limits
        return failure
    }
}

/// A call that brought no answer, with what the server said, from which to tell whether it wants the call written otherwise.
struct CallFailure: Error, Sendable {
    /// What it comes to.
    var failure: ModelFailure
    /// The answer's HTTP status; nil where there was none, or it was good.
    var status: Int?
    /// What the answer's body says; never to be shown as it is.
    var error: OpenAIError?

    /// Makes a failure.
    init(_ failure: ModelFailure, status: Int? = nil, error: OpenAIError? = nil) {
        self.failure = failure
        self.status = status
        self.error = error
    }
}

/// A good answer: its JSON, whether it came whole or was put together from a stream.
struct ServerAnswer: Sendable {
    /// The body.
    var body: JSONValue
    /// The server's id for the call.
    var requestID: String?
    /// What the headers say about rate limits.
    var limits: ObservedLimits?
}
