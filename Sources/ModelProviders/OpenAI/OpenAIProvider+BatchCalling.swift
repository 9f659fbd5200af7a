import JobModel
import ModelCalls

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
