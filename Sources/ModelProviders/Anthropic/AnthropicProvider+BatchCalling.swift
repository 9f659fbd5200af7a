import JobModel
import ModelCalls

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
