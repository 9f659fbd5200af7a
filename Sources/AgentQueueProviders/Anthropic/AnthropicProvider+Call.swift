import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

extension AnthropicProvider {
    /// The only version that accepts sampling parameters.
    static let samplingVersion = "2023-06-01"
    /// From this version on, the key is sent as a bearer token.
    private static let bearerVersion = "2026-10-21"

    /// A call that asks for a message.
    func call(
        _ path: String, _ request: AnthropicRequest, _ limit: CallLimit, _ idempotencyKey: String, streams: Bool = false
    ) throws(ModelFailure) -> HTTPCall {
        if let native = request.native {
            var headers = headers(
                native.version ?? Self.samplingVersion, hasBody: true, streams: streams, closes: limit.isCheck,
                idempotencyKey: idempotencyKey)
            if !native.betas.isEmpty { headers.add(name: "anthropic-beta", value: native.betas.joined(separator: ",")) }
            let model = request.body["model"]?.string ?? ""
            let body = try NativeCall(native, model: model).bytes(streams: streams)
            return HTTPCall(method: "POST", url: connection.address(path), headers: headers, body: body)
        }
        let body = streams ? JSONValue.object((request.body.members ?? []) + [.init("stream", true)]) : request.body
        let headers = headers(
            request.hasSampling ? Self.samplingVersion : version, hasBody: true, streams: streams, closes: limit.isCheck,
            idempotencyKey: idempotencyKey)
        return HTTPCall(method: "POST", url: connection.address(path), headers: headers, body: body.utf8(sorted: false))
    }

    func headers(
        _ version: String, hasBody: Bool, streams: Bool = false, closes: Bool = false, idempotencyKey: String? = nil
    ) -> HTTPHeaders {
        var headers = connection.headers(hasBody: hasBody, streams: streams, closes: closes, idempotencyKey: idempotencyKey)
        headers.add(name: "anthropic-version", value: version)
        if !connection.key.isEmpty {
            headers.add(name: "x-api-key", value: connection.key)
            // Dates in this format compare as text.
            if version >= Self.bearerVersion { headers.add(name: "authorization", value: "Bearer \(connection.key)") }
        } else if let basic = connection.basic {
            headers.add(name: "authorization", value: basic)
        }
        return headers
    }

    /// The message of an answer that arrived in one piece.
    func reply(_ answer: HTTPAnswer, to request: AnthropicRequest) throws(ModelFailure) -> ModelReply {
        let body = try json(answer, request)
        let native = request.clientForm == .messages ? String(decoding: answer.body, as: UTF8.self) : nil
        return try reply(body, usage: AnthropicUsage(body["usage"]).usage, answer, request, native: native)
    }

    /// The message in a body.
    /// - Parameters:
    ///   - head: the answer that the body came with.
    ///   - native: the body as the server wrote it, if it is kept.
    func reply(
        _ body: JSONValue, usage: Usage, _ head: HTTPAnswer, _ request: AnthropicRequest, native: String? = nil
    ) throws(ModelFailure) -> ModelReply {
        do {
            var reply = try AnthropicReply.message(body, usage: usage, requestID: requestID(head))
            reply.limits = limits(head)
            reply.native = native.map { NativeReply(form: .messages, body: $0) }
            return reply
        } catch {
            var failure = error
            failure.message = Redaction.line("\(connection.shown) \(redaction(request).clean(error.message))")
            failure.limits = limits(head)
            // The client is to see it as the reply that it is.
            if failure.failure == .refused, let native { failure.answer = ErrorAnswer(status: 200, form: .messages, body: native) }
            throw failure
        }
    }

    /// The JSON of a good answer.
    /// - Throws: a `ModelFailure` with a complete, redacted message if the answer is not JSON or reports an error.
    func json(_ answer: HTTPAnswer, _ request: AnthropicRequest?, keepsError: Bool? = nil) throws(ModelFailure) -> JSONValue {
        let keepsError = keepsError ?? (request?.clientForm != nil)
        let parsed = Result { () throws(JSONError) in try JSONValue.parseLeniently(answer.body) }
        let isGood = (200..<300).contains(answer.status)
        switch parsed {
        case .success(let body):
            guard isGood, body["content"] != nil || OpenAIError(body: body) == nil else {
                var failure = failed(answer, OpenAIError(body: body), request)
                failure.requestID = failure.requestID ?? AnthropicReply.printable(body["request_id"]?.string)
                if keepsError { failure.answer = errorAnswer(answer, isKnown: OpenAIError(body: body) != nil, request) }
                throw failure
            }
            return body
        case .failure(let error):
            guard isGood else {
                var failure = failed(answer, OpenAIError(message: plainText(answer)), request)
                if keepsError { failure.answer = errorAnswer(answer, isKnown: false, request) }
                throw failure
            }
            throw ModelFailure(
                .invalidReply, "\(connection.shown) answered \(answer.status) with what is \(error)", requestID: requestID(answer),
                isMaybePaid: request != nil, limits: limits(answer))
        }
    }

    /// An error as it came, for the client that waits for it.
    private func errorAnswer(_ answer: HTTPAnswer, isKnown: Bool, _ request: AnthropicRequest?) -> ErrorAnswer? {
        guard answer.status >= 400 else { return nil }
        return KeptAnswer(form: .messages, keepsReply: false).error(answer, isKnown: isKnown, redaction(request))
    }

    /// A short body that is neither JSON nor a web page, such as one line from a proxy.
    private func plainText(_ answer: HTTPAnswer) -> String? {
        guard answer.body.count <= 2_048, let text = String(validating: answer.body, as: UTF8.self) else { return nil }
        guard let first = text.first(where: { !$0.isWhitespace }), !"<{[".contains(first) else { return nil }
        return text
    }

    func failed(_ answer: HTTPAnswer, _ error: OpenAIError?, _ request: AnthropicRequest?) -> ModelFailure {
        AnthropicErrorClass.failure(answer, error: error, url: connection.shown, redaction: redaction(request), now: now())
    }

    private func redaction(_ request: AnthropicRequest?) -> Redaction {
        connection.redaction(of: request.map { [$0.body] } ?? [])
    }
}
