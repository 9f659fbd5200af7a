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
            method: body == nil ? "GET" : "POST", url: base.endpoint(path),
            headers: headers(idempotencyKey, hasBody: body != nil, streams: stream != nil, closes: limit.isCheck),
            body: body?.utf8(sorted: false))
        let result: Result<HTTPAnswer, HTTPFailure>
        if let stream {
            result = await transport.receive(call, before: limit.deadline, onPart: stream.take, onHead: stream.begin)
        } else {
            result = await transport.send(call, before: limit.deadline)
        }
        let redaction = { Redaction(secrets: self.secrets, bodies: [request ?? body].compactMap(\.self)) }
        if let stream, case .success(let answer) = result { stream.takeUnannounced(answer) }
        if let stream, let head = stream.head {
            return try answer(of: stream, head, result, limit, redaction)
        }
        switch result {
        case .success(let answer): return try read(answer, isPaid: body != nil, redaction)
        case .failure(let failure): throw CallFailure(failure.modelFailure(of: base.shown, timeout: limit.timeout))
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
            let message = "\(base.shown) answered \(answer.status) with what is not valid JSON"
            // Who answered, the server or something before it, and at what cost, it does not say.
            throw CallFailure(
                ModelFailure(
                    .invalidReply, message, requestID: OpenAIErrorClass.requestID(answer.headers), calls: isPaid ? 1 : 0,
                    isMaybePaid: isPaid, limits: .openAI(answer.headers)))
        }
        if let error = Self.errorInside(body) { throw CallFailure(failure(answer, error, redaction), error: error) }
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
            if let error = Self.errorInside(body) {
                throw broken(failure(head, error, redaction), isMaybePaid: assembler.hasBegun)
            }
            // A connection that breaks, or stays silent, behind the last event takes nothing away.
            if !Self.isEnded(result) {
                return ServerAnswer(body: body, requestID: OpenAIErrorClass.requestID(head.headers), limits: .openAI(head.headers))
            }
        }
        if let failure = stream.failure { throw broken(failure.modelFailure(of: base.shown, timeout: limit.timeout), isMaybePaid: true) }
        if case .failure(let failure) = result {
            throw broken(failure.modelFailure(of: base.shown, timeout: limit.timeout), isMaybePaid: true)
        }
        throw broken(ModelFailure(.retryable, "\(base.shown) ended its stream before the answer was whole"), isMaybePaid: true)
    }

    /// Whether the call was ended from this side.
    private static func isEnded(_ result: Result<HTTPAnswer, HTTPFailure>) -> Bool {
        switch result {
        case .failure(.cancelled), .failure(.shutDown): true
        case .success, .failure: false
        }
    }

    private func failure(_ answer: HTTPAnswer, _ error: OpenAIError?, _ redaction: () -> Redaction) -> ModelFailure {
        OpenAIErrorClass.failure(answer, error: error, url: base.shown, redaction: redaction(), now: now())
    }

    /// The error inside an answer whose status is good: instead of what was asked, or, from a hub, in the first choice.
    static func errorInside(_ body: JSONValue) -> OpenAIError? {
        if let choice = body["choices"]?.array?.first {
            guard choice["error"]?.members != nil || choice["finish_reason"]?.string == "error" else { return nil }
            return OpenAIError(body: choice) ?? OpenAIError(message: "the answer ended with an error")
        }
        guard body["data"]?.array == nil, body.array?.first?["embedding"] == nil else { return nil }
        return OpenAIError(body: body)
    }

    func headers(_ idempotencyKey: String?, hasBody: Bool, streams: Bool, closes: Bool) -> HTTPHeaders {
        let types = streams ? "text/event-stream, application/json" : "application/json"
        var headers: HTTPHeaders = ["accept": types, "user-agent": "agent-queue"]
        if hasBody { headers.add(name: "content-type", value: "application/json") }
        if closes { headers.add(name: "connection", value: "close") }
        if let authorization { headers.add(name: "authorization", value: authorization) }
        // OpenAI documents none; gateways honour it.
        if let key = idempotencyKey, !key.isEmpty, key.utf8.count <= 255, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            headers.add(name: "idempotency-key", value: key)
        }
        return headers
    }

    /// A reader's failure as a call's: a whole sentence, clean, with what the answer's head says.
    func failure(_ failure: ModelFailure, of answer: ServerAnswer, to request: JSONValue?) -> ModelFailure {
        var failure = failure
        let redaction = Redaction(secrets: secrets, bodies: [request].compactMap(\.self))
        failure.message = Redaction.line("\(base.shown) \(redaction.clean(failure.message))")
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

extension OpenAIProvider {
    /// Sends a request that costs nothing, and returns a good answer's JSON.
    /// - Parameters:
    ///   - path: from the base URL, such as `/batches`.
    ///   - query: members of the query.
    /// - Throws: `ModelFailure`, its message whole and clean.
    func exchange(_ method: String, _ path: String, query: String = "", _ limit: CallLimit) async throws(ModelFailure) -> JSONValue {
        let call = HTTPCall(method: method, url: address(path, query), headers: headers(nil, hasBody: false, streams: false, closes: false))
        do throws(ModelFailure) {
            return try json(try await exchange(call, limit), bodies: [])
        } catch {
            throw BatchDownload.unpaid(error)
        }
    }

    func exchange(_ call: HTTPCall, _ limit: CallLimit) async throws(ModelFailure) -> HTTPAnswer {
        switch await transport.send(call, before: limit.deadline) {
        case .success(let answer): return answer
        case .failure(let failure): throw failure.modelFailure(of: base.shown, timeout: limit.timeout)
        }
    }

    /// The JSON of a good answer.
    func json(_ answer: HTTPAnswer, bodies: [JSONValue]?) throws(ModelFailure) -> JSONValue {
        let parsed = try? JSONValue.parse(answer.body)
        guard (200..<300).contains(answer.status) else { throw refusal(answer, parsed, bodies: bodies) }
        guard let parsed else {
            throw ModelFailure(
                .invalidReply, "\(base.shown) answered \(answer.status) with what is not valid JSON",
                requestID: OpenAIErrorClass.requestID(answer.headers), limits: .openAI(answer.headers))
        }
        // A batch that was refused has `errors` of its own.
        if parsed["id"] == nil, parsed["data"]?.array == nil, OpenAIError(body: parsed) != nil {
            throw refusal(answer, parsed, bodies: bodies)
        }
        return parsed
    }

    /// What an answer comes to that is not good.
    /// - Parameter bodies: the requests that its words may quote; nil where they are not at hand, and its words are left out.
    func refusal(_ answer: HTTPAnswer, _ parsed: JSONValue?, bodies: [JSONValue]?) -> ModelFailure {
        var answer = answer
        var error = parsed.flatMap { OpenAIError(body: $0) }
        if bodies == nil {
            error = error?.withoutWords
            answer.body = []
        }
        let redaction = Redaction(secrets: secrets, bodies: bodies ?? [])
        return OpenAIErrorClass.failure(answer, error: error, url: base.shown, redaction: redaction, now: now())
    }

    func address(_ path: String, _ query: String = "") -> String {
        let whole = query.isEmpty ? base.query : base.query.isEmpty ? "?\(query)" : "\(base.query)&\(query)"
        return base.shown + path + whole
    }
}
