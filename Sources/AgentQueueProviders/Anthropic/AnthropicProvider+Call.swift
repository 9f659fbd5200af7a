import AgentQueueModel
import NIOHTTP1

extension AnthropicProvider {
    /// The one version that takes sampling parameters.
    static let samplingVersion = "2023-06-01"
    /// The version from which on the key is a bearer token.
    private static let bearerVersion = "2026-10-21"

    /// A call that asks for a message.
    func call(
        _ path: String, _ request: AnthropicRequest, _ limit: CallLimit, _ idempotencyKey: String, streams: Bool = false
    ) -> HTTPCall {
        let body = streams ? JSONValue.object((request.body.members ?? []) + [.init("stream", true)]) : request.body
        var headers = headers(request.hasSampling ? Self.samplingVersion : version, hasBody: true, closes: limit.isCheck)
        if streams { headers.replaceOrAdd(name: "accept", value: "text/event-stream, application/json") }
        // Anthropic documents none; gateways honour it.
        if !idempotencyKey.isEmpty, idempotencyKey.utf8.count <= 255, idempotencyKey.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            headers.add(name: "idempotency-key", value: idempotencyKey)
        }
        return HTTPCall(method: "POST", url: endpoint(path), headers: headers, body: body.utf8(sorted: false))
    }

    /// The address of an endpoint.
    /// - Parameters:
    ///   - path: from the version, such as `/messages`.
    ///   - query: further members of the query, such as `limit=20`.
    func endpoint(_ path: String, query: String = "") -> String {
        let whole = query.isEmpty ? base.query : base.query.isEmpty ? "?\(query)" : "\(base.query)&\(query)"
        return "\(shown)/v1\(path)\(whole)"
    }

    func headers(_ version: String, hasBody: Bool, closes: Bool) -> HTTPHeaders {
        var headers: HTTPHeaders = ["accept": "application/json", "user-agent": "agent-queue", "anthropic-version": version]
        if hasBody { headers.add(name: "content-type", value: "application/json") }
        if closes { headers.add(name: "connection", value: "close") }
        if !key.isEmpty {
            headers.add(name: "x-api-key", value: key)
            // Dates of this form sort as text.
            if version >= Self.bearerVersion { headers.add(name: "authorization", value: "Bearer \(key)") }
        } else if let basic {
            headers.add(name: "authorization", value: basic)
        }
        return headers
    }

    /// Sends a call, and returns its answer, whatever its status.
    func exchange(_ call: HTTPCall, _ limit: CallLimit) async throws(ModelFailure) -> HTTPAnswer {
        switch await transport.send(call, before: limit.deadline) {
        case .success(let answer): return answer
        case .failure(let failure): throw failure.modelFailure(of: shown, timeout: limit.timeout)
        }
    }

    /// The message in an answer that came in one piece.
    func reply(_ answer: HTTPAnswer, to request: AnthropicRequest) throws(ModelFailure) -> ModelReply {
        let body = try json(answer, request)
        return try reply(body, usage: AnthropicUsage(body["usage"]).usage, answer, request)
    }

    /// The message in a body.
    /// - Parameter head: the answer it came with.
    func reply(_ body: JSONValue, usage: Usage, _ head: HTTPAnswer, _ request: AnthropicRequest) throws(ModelFailure) -> ModelReply {
        do {
            var reply = try AnthropicReply.message(body, usage: usage, requestID: requestID(head))
            reply.limits = limits(head)
            return reply
        } catch {
            var failure = error
            failure.message = Redaction.line("\(shown) \(redaction(request).clean(error.message))")
            failure.limits = limits(head)
            throw failure
        }
    }

    /// The JSON of a good answer.
    /// - Throws: `ModelFailure`, its message whole and clean, where it is none, or tells of an error.
    func json(_ answer: HTTPAnswer, _ request: AnthropicRequest?) throws(ModelFailure) -> JSONValue {
        let parsed = Result { () throws(JSONError) in try JSONValue.parse(answer.body) }
        let isGood = (200..<300).contains(answer.status)
        switch parsed {
        case .success(let body):
            guard isGood, body["content"] != nil || OpenAIError(body: body) == nil else {
                var failure = failed(answer, OpenAIError(body: body), request)
                failure.requestID = failure.requestID ?? AnthropicReply.printable(body["request_id"]?.string)
                throw failure
            }
            return body
        case .failure:
            guard isGood else { throw failed(answer, OpenAIError(message: plainText(answer)), request) }
            throw ModelFailure(
                .invalidReply, "\(shown) answered \(answer.status) with what is not valid JSON", requestID: requestID(answer),
                isMaybePaid: request != nil, limits: limits(answer))
        }
    }

    /// A body that is neither JSON nor a web page, such as a proxy's one line.
    private func plainText(_ answer: HTTPAnswer) -> String? {
        guard answer.body.count <= 2_048, let text = String(validating: answer.body, as: UTF8.self) else { return nil }
        guard let first = text.first(where: { !$0.isWhitespace }), !"<{[".contains(first) else { return nil }
        return text
    }

    func failed(_ answer: HTTPAnswer, _ error: OpenAIError?, _ request: AnthropicRequest?) -> ModelFailure {
        AnthropicErrorClass.failure(answer, error: error, url: shown, redaction: redaction(request), now: now())
    }

    func requestID(_ answer: HTTPAnswer) -> String? { AnthropicReply.printable(answer.headers.first(name: "request-id")) }

    func limits(_ answer: HTTPAnswer) -> ObservedLimits? { ObservedLimits.anthropic(answer.headers, now: now()) }

    private func redaction(_ request: AnthropicRequest?) -> Redaction {
        Redaction(secrets: secrets, bodies: request.map { [$0.body] } ?? [])
    }
}

extension AnthropicProvider {
    /// Sends a request that costs nothing, and returns a good answer's JSON.
    func ask(_ method: String, _ path: String, query: String = "", _ limit: CallLimit) async throws(ModelFailure) -> JSONValue {
        let call = HTTPCall(
            method: method, url: endpoint(path, query: query), headers: headers(version, hasBody: false, closes: false))
        do throws(ModelFailure) {
            return try document(try await exchange(call, limit), bodies: [])
        } catch {
            throw BatchDownload.unpaid(error)
        }
    }

    /// The JSON of a good answer.
    /// - Parameter bodies: the requests that the server's words may quote; nil where there are too many, and its words are left out.
    func document(_ answer: HTTPAnswer, bodies: [JSONValue]?) throws(ModelFailure) -> JSONValue {
        let parsed = try? JSONValue.parse(answer.body)
        guard (200..<300).contains(answer.status), parsed?["type"]?.string != "error" else { throw refusal(answer, bodies: bodies) }
        guard let parsed else {
            throw ModelFailure(
                .invalidReply, "\(shown) answered \(answer.status) with what is not valid JSON", requestID: requestID(answer),
                limits: limits(answer))
        }
        return parsed
    }

    func refusal(_ answer: HTTPAnswer, bodies: [JSONValue]?) -> ModelFailure {
        let parsed = try? JSONValue.parse(answer.body)
        let error = parsed.flatMap { OpenAIError(body: $0) }
        var failure = AnthropicErrorClass.failure(
            answer, error: error, url: shown, redaction: Redaction(secrets: secrets, bodies: bodies ?? []), now: now())
        if bodies == nil {
            // An empty account is told by words alone: they class the failure, and stay out of its sentence.
            failure.message =
                AnthropicErrorClass.failure(
                    answer, error: error?.withoutWords, url: shown, redaction: Redaction(secrets: secrets), now: now()
                ).message
        }
        failure.requestID = failure.requestID ?? AnthropicReply.printable(parsed?["request_id"]?.string)
        return failure
    }
}
